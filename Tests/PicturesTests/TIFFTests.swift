import Files
import Pictures
import TestPictures
import Testing

@Suite("TIFF and WebP")
struct TIFFTests {
    private let picture = gradient(width: 21, height: 13)

    private func page(_ factor: UInt16? = nil) -> TIFFBytes.Page {
        TIFFBytes.Page(picture.width, picture.height, pixels: picture.pixels, scaledBy: factor)
    }

    @Test("8 and 16 bits keep every pixel, in both byte orders", arguments: [nil, 257], [true, false])
    func plain(factor: UInt16?, isLittle: Bool) throws {
        var file = TIFFBytes([page(factor)])
        file.isLittle = isLittle
        let decoded = try Picture.decoded(file.bytes, name: "a.jpg")
        #expect(decoded.picture == picture && decoded.notes.isEmpty)
    }

    @Test("12 bits in 16 are scaled by their own range, and noted")
    func twelveBits() throws {
        let decoded = try Picture.decoded(TIFFBytes([page(16)]).bytes, name: "a.tif")
        #expect(largestDifference(decoded.picture, picture) <= 1)
        #expect(decoded.notes == [.bits(12)])
    }

    @Test("grey where white is 0 is turned over")
    func inverted() throws {
        var page = TIFFBytes.Page(width: 2, height: 1, samples: [0, 65535])
        (page.bits, page.channels, page.photometric) = (16, 1, 0)
        #expect(try Picture(decoding: TIFFBytes([page]).bytes, name: "a.tif").pixels == [255, 255, 255, 0, 0, 0])
    }

    @Test("all eight orientations", arguments: 1...8)
    func orientation(_ orientation: Int) throws {
        let stored = OrientationTests.stored(orientation)
        for factor in [nil, UInt16(257)] {
            var page = TIFFBytes.Page(stored.width, stored.height, pixels: stored.pixels, scaledBy: factor)
            page.orientation = orientation
            #expect(try Picture(decoding: TIFFBytes([page]).bytes, name: "a.tif") == OrientationTests.upright)
        }
    }

    @Test("the largest page is read, and a reduced copy does not count as a page")
    func pages() throws {
        let small = gradient(width: 5, height: 4)
        var thumbnail = TIFFBytes.Page(5, 4, pixels: small.pixels)
        let two = try Picture.decoded(TIFFBytes([thumbnail, page()]).bytes, name: "a.tif")
        #expect(two.picture == picture && two.notes == [.page(2, of: 2)])
        thumbnail.kind = 1
        let one = try Picture.decoded(TIFFBytes([thumbnail, page()]).bytes, name: "a.tif")
        #expect(one.picture == picture && one.notes.isEmpty)
    }

    @Test(
        "kinds of compression",
        arguments: ["tiff_lzw.tif", "tiff_adobe_deflate.tif", "packbits.tif", "jpeg.tif", "rgb.webp"]
    )
    func compressions(_ name: String) throws {
        let decoded = try Picture(contentsOf: fixture(name))
        #expect(decoded.width == 32 && decoded.height == 24)
        let pixel = decoded[16, 12]
        #expect(abs(Int(pixel.x) - 200) <= 3 && abs(Int(pixel.y) - 100) <= 3 && abs(Int(pixel.z) - 50) <= 3)
    }

    @Test("a transparent WebP is composed on black and turned upright")
    func turned() throws {
        let decoded = try Picture(contentsOf: fixture("turned.webp"))
        #expect(decoded.width == 24 && decoded.height == 32 && decoded[3, 3] == [100, 50, 25])
    }

    @Test(
        "what is no photograph is named",
        arguments: [
            ("cmyk.tif", "CMYK"), ("float.tif", "floating-point"), ("animation.webp", "animated"),
        ])
    func refused(_ name: String, word: String) {
        #expect { try Picture(contentsOf: fixture(name)) } throws: {
            ($0 as? Failure)?.kind == .badData && "\($0)".contains(word)
        }
    }

    @Test("every truncation is refused, and no flipped byte brings the decoder down")
    func damaged() throws {
        let webp = try PictureFile.read(RawPath(fixture("rgb.webp")))
        for whole in [TIFFBytes([page()]).bytes, TIFFBytes([page(257)]).bytes, webp] {
            // The last four bytes of a TIFF say that no further page follows.
            for count in stride(from: 0, to: whole.count - 4, by: 3) {
                #expect(throws: Failure.self) { try Picture(decoding: Array(whole.prefix(count)), name: "a") }
            }
            for place in whole.indices {
                var changed = whole
                changed[place] ^= 0xFF
                do {
                    let decoded = try Picture(decoding: changed, name: "a")
                    #expect(decoded.pixels.count == decoded.width * decoded.height * 3)
                } catch {
                    #expect((error as? Failure)?.kind == .badData)
                }
            }
        }
    }

    @Test("a TIFF that claims 400 megapixels is refused before memory is taken")
    func huge() throws {
        var page = page()
        (page.width, page.height) = (20_000, 20_000)
        #expect { try Picture(decoding: TIFFBytes([page]).bytes, name: "a.tif") } throws: {
            "\($0)".contains("found 20000 x 20000")
        }
    }
}
