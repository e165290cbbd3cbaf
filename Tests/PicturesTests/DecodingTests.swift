import CImageCodecs
import Files
import Foundation
import Pictures
import Support
import Testing

/// A file of Tests/Fixtures/pictures, made by Tools/reference/picture_fixtures.py.
func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/pictures/\(name)").path
}

/// A picture in which every pixel differs from its neighbours.
func gradient(width: Int, height: Int) -> Picture {
    var picture = Picture(width: width, height: height)
    for y in 0..<height {
        for x in 0..<width {
            picture[x, y] = SIMD3(UInt8(x * 255 / max(1, width - 1)), UInt8(y * 255 / max(1, height - 1)), 80)
        }
    }
    return picture
}

func largestDifference(_ a: Picture, _ b: Picture) -> Int {
    guard a.width == b.width, a.height == b.height else { return .max }
    return zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0
}

@Suite("Decoding")
struct DecodingTests {
    @Test("PNG keeps every pixel")
    func pngRoundTrip() throws {
        let picture = gradient(width: 37, height: 21)
        #expect(try Picture(decoding: Array(picture.pngData()), name: "a.png") == picture)
    }

    @Test("JPEG at quality 95 keeps a smooth picture within 6 levels")
    func jpegRoundTrip() throws {
        let picture = gradient(width: 64, height: 48)
        let decoded = try Picture(decoding: Array(picture.jpegData(quality: 95)), name: "a.jpg")
        #expect(largestDifference(decoded, picture) <= 6)
    }

    @Test(
        "kinds of JPEG",
        arguments: [
            ("progressive.jpg", [200, 100, 50]), ("subsampled.jpg", [200, 100, 50]), ("rgb.jpg", [200, 100, 50]),
            ("grey.jpg", [77, 77, 77]),
        ])
    func jpegKinds(name: String, colour: [Int]) throws {
        let picture = try Picture(contentsOf: fixture(name))
        #expect(picture.width == 32 && picture.height == 24)
        for y in 0..<24 {
            for x in 0..<32 {
                for c in 0..<3 { #expect(abs(Int(picture[x, y][c]) - colour[c]) <= 2) }
            }
        }
    }

    @Test(
        "kinds of PNG: 16 bits are rounded, alpha is composed on black",
        arguments: [
            ("grey16.png", [[0, 0, 0], [33, 33, 33], [255, 255, 255], [1, 1, 1]]),
            ("rgb16.png", [[255, 33, 0]]),
            ("grey1.png", [[255, 255, 255], [0, 0, 0], [255, 255, 255], [0, 0, 0]]),
            ("grey-alpha.png", [[200, 200, 200], [100, 100, 100]]),
            ("rgba.png", [[200, 100, 50], [100, 50, 25], [0, 0, 0]]),
            ("palette.png", [[10, 20, 30], [0, 0, 0]]),
        ])
    func pngKinds(name: String, row: [[UInt8]]) throws {
        let picture = try Picture(contentsOf: fixture(name))
        #expect(picture.width >= row.count)
        for (x, colour) in row.enumerated() {
            #expect(picture[x, 0] == SIMD3(colour[0], colour[1], colour[2]), "column \(x)")
        }
    }

    @Test("a JPEG is reduced while decoding, never below the side that is needed")
    func reducedDecoding() throws {
        let bytes = try Array(gradient(width: 400, height: 200).jpegData(quality: 95))
        let half = try Picture(decoding: bytes, name: "a.jpg", minimumSide: 100)
        #expect(half.width == 200 && half.height == 100)
        let whole = try Picture(decoding: bytes, name: "a.jpg", minimumSide: 101)
        #expect(whole.width == 400 && whole.height == 200)
        #expect(largestDifference(half, gradient(width: 400, height: 200).resized(width: 200, height: 100)) <= 6)
    }

    @Test("the header is read without decoding")
    func header() throws {
        let header = try Picture.header(contentsOf: fixture("grey16.png"))
        #expect(header.format == .png && header.width == 4 && header.height == 2 && header.bitDepth == 16)
        #expect(header.channels == 1 && header.orientation == 1)
    }
}
