import Files
import Foundation
import Pictures
import Support
import Testing

/// A TIFF structure with one entry, the orientation.
private func tiff(
    _ orientation: UInt16, isLittle: Bool, entries: UInt16 = 1, type: Int = 3, width: Int = 2
) -> [UInt8] {
    func two(_ value: UInt16) -> [UInt8] {
        let big = [UInt8(value >> 8), UInt8(value & 0xFF)]
        return isLittle ? big.reversed() : big
    }
    func four(_ value: UInt16) -> [UInt8] { isLittle ? two(value) + [0, 0] : [0, 0] + two(value) }
    // The value stands at the start of its four bytes.
    let value =
        width == 4 ? four(orientation) : width == 2 ? two(orientation) + [0, 0] : [UInt8(orientation), 0, 0, 0]
    return (isLittle ? [0x49, 0x49] : [0x4D, 0x4D]) + two(42) + four(8) + two(entries) + two(0x0112) + two(UInt16(type))
        + four(1) + value + four(0)
}

/// `jpeg` with an EXIF segment behind its first marker.
private func withEXIF(_ jpeg: [UInt8], _ tiff: [UInt8]) -> [UInt8] {
    let body = Array("Exif".utf8) + [0, 0] + tiff
    let length = body.count + 2
    return Array(jpeg[0..<2]) + [0xFF, 0xE1, UInt8(length >> 8), UInt8(length & 0xFF)] + body + Array(jpeg[2...])
}

@Suite("EXIF orientation")
struct OrientationTests {
    /// Four blocks of 16 pixels: red, green in the upper row, blue, white in the lower.
    static let upright: Picture = {
        var picture = Picture(width: 48, height: 32)
        for y in 0..<32 {
            for x in 0..<48 {
                picture[x, y] =
                    y < 16 ? (x < 16 ? [240, 10, 10] : [10, 240, 10]) : (x < 16 ? [10, 10, 240] : [240, 240, 240])
            }
        }
        return picture
    }()

    /// How a camera stores the upright picture for each orientation, stated on its own: which edge of the scene the
    /// first stored row and the first stored column are (TIFF 6.0, tag 274).
    static func stored(_ orientation: Int) -> Picture {
        let source = upright
        let isTurned = orientation >= 5
        var result = Picture(width: isTurned ? 32 : 48, height: isTurned ? 48 : 32)
        for row in 0..<result.height {
            for column in 0..<result.width {
                let scene: (x: Int, y: Int) =
                    switch orientation {
                    case 1: (column, row)  // row 0 top, column 0 left
                    case 2: (47 - column, row)  // top, right
                    case 3: (47 - column, 31 - row)  // bottom, right
                    case 4: (column, 31 - row)  // bottom, left
                    case 5: (row, column)  // left, top
                    case 6: (47 - row, column)  // right, top
                    case 7: (47 - row, 31 - column)  // right, bottom
                    default: (row, 31 - column)  // left, bottom
                    }
                result[column, row] = source[scene.x, scene.y]
            }
        }
        return result
    }

    @Test("all eight, in both byte orders", arguments: 1...8, [true, false])
    func orientation(_ orientation: Int, isLittle: Bool) throws {
        let jpeg = try Array(OrientationTests.stored(orientation).jpegData(quality: 95))
        let decoded = try Picture(
            decoding: withEXIF(jpeg, tiff(UInt16(orientation), isLittle: isLittle)), name: "a.jpg")
        #expect(largestDifference(decoded, OrientationTests.upright) <= 8)
    }

    @Test("a value of another width, and a second block where the first states none", arguments: [true, false])
    func widths(isLittle: Bool) throws {
        let jpeg = try Array(OrientationTests.stored(6).jpegData(quality: 95))
        for (type, width) in [(1, 1), (3, 2), (4, 4), (9, 4)] {
            let block = tiff(6, isLittle: isLittle, type: type, width: width)
            let decoded = try Picture(decoding: withEXIF(jpeg, block), name: "a.jpg")
            #expect(largestDifference(decoded, OrientationTests.upright) <= 8, "type \(type)")
        }
        let both = withEXIF(withEXIF(jpeg, tiff(6, isLittle: isLittle)), [0x49, 0x49, 42, 0, 8, 0, 0, 0, 0, 0])
        #expect(largestDifference(try Picture(decoding: both, name: "a.jpg"), OrientationTests.upright) <= 8)
    }

    @Test("a PNG's raw profile, as ImageMagick writes it", arguments: ["exif", "APP1"], ["exif", "generic profile"])
    func rawProfile(_ kind: String, heading: String) throws {
        let block = Array("Exif".utf8) + [0, 0] + tiff(6, isLittle: true)
        let digits = block.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let profile = PNGText("Raw profile type \(kind)", "\n\(heading)\n      \(block.count)\n\(digits)\n")
        let png = try OrientationTests.stored(6).pngData(texts: [profile])
        #expect(try Picture(decoding: Array(png), name: "a.png") == OrientationTests.upright)
    }

    @Test(
        "malformed EXIF leaves the picture as it is stored",
        arguments: [
            [], [0x49], Array("IIxx".utf8), tiff(9, isLittle: true), tiff(0, isLittle: false),
            Array(tiff(6, isLittle: true).prefix(18)), [0x49, 0x49, 42, 0, 0xFF, 0xFF, 0xFF, 0xFF],
            [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0xFF, 0xFF],
        ] as [[UInt8]])
    func malformed(_ structure: [UInt8]) throws {
        let jpeg = try Array(OrientationTests.upright.jpegData(quality: 95))
        let decoded = try Picture(decoding: withEXIF(jpeg, structure), name: "a.jpg")
        #expect(decoded == (try Picture(decoding: jpeg, name: "a.jpg")))
    }
}
