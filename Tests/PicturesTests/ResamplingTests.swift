import Foundation
import Pictures
import Testing

@Suite("Resizing and cropping")
struct ResamplingTests {
    @Test("a flat picture stays flat at any size", arguments: [(7, 5), (100, 3), (33, 80), (1, 1)])
    func flat(width: Int, height: Int) {
        let resized = Picture(width: 40, height: 30, red: 200, green: 100, blue: 50).resized(
            width: width, height: height)
        #expect(resized == Picture(width: width, height: height, red: 200, green: 100, blue: 50))
    }

    @Test("shrinking keeps a gradient in place: centre to centre")
    func gradientStays() {
        // Column x has value 4 x; the column of the target that covers columns 4 k to 4 k + 3 has their mean.
        var picture = Picture(width: 64, height: 8)
        for y in 0..<8 { for x in 0..<64 { picture[x, y] = SIMD3(repeating: UInt8(4 * x)) } }
        let small = picture.resized(width: 16, height: 2)
        for k in 1..<15 { #expect(abs(Int(small[k, 0].x) - (16 * k + 6)) <= 1, "column \(k)") }
    }

    @Test("no overshoot at the edge of the field of view")
    func noRinging() {
        var picture = Picture(width: 300, height: 300)
        for y in 0..<300 { for x in 150..<300 { picture[x, y] = SIMD3(200, 100, 50) } }
        for size in [64, 77, 256, 512] {
            let resized = picture.resized(width: size, height: size)
            #expect((0..<size).allSatisfy { resized[$0, size / 2].x <= 200 })
            #expect(resized[0, 0] == SIMD3(0, 0, 0) && resized[size - 1, 0] == SIMD3(200, 100, 50))
        }
    }

    @Test("detail above the target's resolution averages out instead of aliasing")
    func antialiased() {
        // Stripes of one pixel: a mean of 100 and nothing else can remain at a third of the size.
        var picture = Picture(width: 240, height: 240)
        for y in 0..<240 { for x in 0..<240 where x % 2 == 0 { picture[x, y] = SIMD3(repeating: 200) } }
        let small = picture.resized(width: 80, height: 80)
        let values = (5..<75).map { Int(small[$0, 40].x) }
        #expect(values.allSatisfy { abs($0 - 100) <= 8 }, "\(values)")
    }

    @Test("cropping puts black beyond the border")
    func cropped() {
        let picture = gradient(width: 10, height: 8)
        let crop = picture.cropped(x: -2, y: 5, width: 6, height: 6)
        #expect(crop.width == 6 && crop.height == 6)
        for y in 0..<6 {
            for x in 0..<6 {
                let isInside = x >= 2 && y < 3
                #expect(crop[x, y] == (isInside ? picture[x - 2, y + 5] : SIMD3(0, 0, 0)), "\(x), \(y)")
            }
        }
        #expect(picture.cropped(x: 20, y: 0, width: 3, height: 3) == Picture(width: 3, height: 3))
        #expect(picture.cropped(x: 0, y: 0, width: 10, height: 8) == picture)
    }

    @Test("resampling a rectangle beyond the border shows black there and the picture in place")
    func rectangle() {
        let picture = Picture(width: 20, height: 20, red: 100, green: 100, blue: 100)
        let result = picture.resampled(x: -20, y: 0, width: 40, height: 20, toWidth: 20, height: 10)
        #expect(result[5, 5] == SIMD3(0, 0, 0) && result[15, 5] == SIMD3(100, 100, 100))
        #expect(result[8, 5].x <= 1 && result[11, 5].x >= 99)
    }

    @Test("a contact sheet shows each picture in its place")
    func contactSheet() throws {
        let pictures = (0..<5).map { Picture(width: 96, height: 64, red: UInt8(50 * $0), green: 1, blue: 2) }
        let sheet = try Picture(decoding: Array(ContactSheet(pictures: pictures, columns: 3).png()), name: "sheet")
        #expect(sheet.width == 3 * 98 - 2 && sheet.height == 2 * 66 - 2)
        for (index, picture) in pictures.enumerated() {
            let x = index % 3 * 98, y = index / 3 * 66
            #expect(sheet.cropped(x: x, y: y, width: 96, height: 64) == picture, "picture \(index)")
        }
    }

    @Test("groups begin a row each, below a line of text, and small pictures are enlarged pixel by pixel")
    func groups() {
        var small = Picture(width: 32, height: 32, red: 200, green: 10, blue: 10)
        small[31, 0] = SIMD3(1, 2, 3)
        let blue = Picture(width: 32, height: 32, blue: 250)
        let sheet = ContactSheet(
            title: "title",
            groups: [
                ContactSheet.Group("first", [small, small]), ContactSheet.Group("none", []),
                ContactSheet.Group("second", [blue]),
            ]
        ).picture
        // Three lines of 22 pixels less the one of the empty group, and two rows of 96 pixels with a gap of 2.
        #expect(sheet.width == 2 * 98 - 2 && sheet.height == 3 * 22 + 2 * 98 - 2)
        #expect(
            sheet[2, 46] == SIMD3(200, 10, 10) && sheet[95, 44] == SIMD3(1, 2, 3) && sheet[93, 46] == SIMD3(1, 2, 3))
        #expect(sheet[92, 44] == SIMD3(200, 10, 10) && sheet[93, 47] == SIMD3(200, 10, 10))
        #expect(sheet[0, 164] == SIMD3(0, 0, 250))
        // Letters are light on grey, in the lines alone.
        func letters(_ rows: Range<Int>) -> Int {
            rows.map { y in (0..<194).count { sheet[$0, y] == SIMD3(230, 230, 230) } }.reduce(0, +)
        }
        #expect(letters(0..<22) > 30 && letters(22..<44) > 30 && letters(142..<164) > 30)
        #expect(letters(44..<142) == 0 && letters(164..<260) == 0)
        let blank = ContactSheet(title: " ", groups: [ContactSheet.Group(nil, [small])]).picture
        #expect((0..<22).allSatisfy { y in (0..<96).allSatisfy { blank[$0, y] == SIMD3(64, 64, 64) } })
    }
}
