import Files
import Pictures
import Testing

/// Where the first scan of a JPEG begins.
private func scan(_ jpeg: [UInt8]) -> Int {
    jpeg.indices.dropLast().first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xDA }!
}

@Suite("Warnings of decoders")
struct WarningTests {
    private let picture = gradient(width: 120, height: 80)
    private let jpeg: [UInt8]

    init() throws { jpeg = try Array(picture.jpegData(quality: 95)) }

    @Test("odd parameters of a scan cost no pixel, and are noted")
    func oddScan() throws {
        var odd = jpeg
        // The end of the spectral selection, which is 63 in a sequential JPEG.
        odd[scan(jpeg) + 2 + 2 + 1 + 2 * 3 + 1] = 0
        let decoded = try Picture.decoded(odd, name: "a.jpg")
        #expect(decoded.picture == (try Picture(decoding: jpeg, name: "a.jpg")))
        #expect(decoded.notes == [.warning("Invalid SOS parameters for sequential JPEG")])
    }

    @Test("a missing end marker is noted, a few bytes before it are no matter, and lost pixels are damage")
    func ends() throws {
        let whole = try Picture(decoding: jpeg, name: "a.jpg"), end: [UInt8] = [0xFF, 0xD9]
        let open = try Picture.decoded(Array(jpeg.dropLast(2)), name: "a.jpg")
        #expect(open.picture == whole && open.notes == [.warning("Premature end of JPEG file")])
        #expect(try Picture(decoding: Array(jpeg.dropLast(2)) + [1, 2, 3] + end, name: "a.jpg") == whole)
        let start = scan(jpeg) + 14
        for cut in stride(from: start, to: jpeg.count - 4, by: 37) {
            let part = Array(jpeg.prefix(cut)), zeros = [UInt8](repeating: 0, count: jpeg.count - cut)
            for bytes in [part, part + end, part + zeros] {
                #expect(throws: Failure.self) { try Picture(decoding: bytes, name: "a.jpg") }
            }
        }
    }

    @Test("many bytes behind the pixels are damage, unless they are padding")
    func extraneous() throws {
        let whole = try Picture(decoding: jpeg, name: "a.jpg"), end: [UInt8] = [0xFF, 0xD9]
        let padded = Array(jpeg.dropLast(2)) + [UInt8](repeating: 0, count: 500) + end
        #expect(try Picture(decoding: padded, name: "a.jpg") == whole)
        let noise = Array(jpeg.dropLast(2)) + (0..<500).map { UInt8(1 + $0 % 200) } + end
        #expect { try Picture(decoding: noise, name: "a.jpg") } throws: { "\($0)".contains("nothing decodes") }
    }

    @Test("kinds of JPEG that are not decoded have names", arguments: [(0xC3, "lossless JPEG is not supported")])
    func kinds(marker: UInt8, words: String) throws {
        var other = jpeg
        let frame = try #require(jpeg.indices.dropLast().first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
        other[frame + 1] = marker
        #expect { try Picture(decoding: other, name: "a.jpg") } throws: { "\($0)".contains(words) }
        var twelve = jpeg
        twelve[frame + 4] = 12
        #expect { try Picture(decoding: twelve, name: "a.jpg") } throws: {
            "\($0)".contains("12-bit JPEG is not supported")
        }
    }

    @Test("formats that are not read have names")
    func formats() {
        for (bytes, words) in [
            (Array("BM......".utf8), "is a BMP file"), (Array("GIF89a..".utf8), "is a GIF file"),
            (Array("version https://git-lfs.github.com".utf8), "git-lfs pointer"),
            ([UInt8](repeating: 0, count: 99), "nothing but zeros"),
        ] {
            #expect { try Picture(decoding: bytes, name: "a.jpg") } throws: { "\($0)".contains(words) }
        }
    }
}
