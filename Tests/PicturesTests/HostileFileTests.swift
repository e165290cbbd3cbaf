import Files
import Foundation
import Pictures
import Support
import Testing

/// What is said of `bytes` when they are decoded as a file; nil where they decode.
private func refusal(_ bytes: [UInt8], _ name: String) throws -> Failure? {
    let folder = try TemporaryFolder()
    do {
        _ = try Picture(contentsOf: folder.write(bytes, name))
        return nil
    } catch let failure as Failure {
        return failure
    }
}

/// A PNG that consists of a signature and IHDR with a correct check sum.
private func pngHeader(width: UInt32, height: UInt32) -> [UInt8] {
    func big(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    let body: [UInt8] = [0x49, 0x48, 0x44, 0x52] + big(width) + big(height) + [8, 2, 0, 0, 0]
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in body {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + big(13) + body + big(~crc) + big(1 << 20) + [
        0x49, 0x44, 0x41, 0x54,
    ]
}

@Suite("Hostile picture files")
struct HostileFileTests {
    @Test("a text file named .jpg")
    func text() throws {
        let failure = try #require(try refusal(Array("hello, this is no picture".utf8), "a.jpg"))
        #expect(failure.kind == .badData && failure.sentence == "is not a JPEG, PNG, TIFF, WebP or JPEG 2000 file")
    }

    @Test("an empty file")
    func empty() throws {
        #expect(try refusal([], "a.png")?.sentence == "is empty")
    }

    @Test("a folder, a pipe, a missing file")
    func notRegular() throws {
        let folder = try TemporaryFolder()
        #expect { try Picture(contentsOf: folder.path) } throws: {
            ($0 as? Failure)?.kind == .badData && "\($0)".hasSuffix("is a folder, not a picture file")
        }
        let pipe = folder.file("pipe.jpg")
        try #require(mkfifo(pipe, 0o600) == 0)
        #expect { try Picture(contentsOf: pipe) } throws: { ($0 as? Failure)?.kind == .badData }
        #expect { try Picture(contentsOf: folder.file("none.jpg")) } throws: { ($0 as? Failure)?.kind == .noSuchInput }
    }

    @Test("a CMYK JPEG is called that")
    func cmyk() {
        #expect { try Picture(contentsOf: fixture("cmyk.jpg")) } throws: {
            "\($0)".contains("CMYK") && ($0 as? Failure)?.kind == .badData
        }
    }

    @Test(
        "a header that claims 400 megapixels or 70,000 a side is refused before memory is taken",
        arguments: [
            (UInt32(20_000), UInt32(20_000)), (70_000, 10), (10, 16_385), (16_000, 16_000), (0x7FFF_FFFF, 0x7FFF_FFFF),
        ])
    func huge(width: UInt32, height: UInt32) throws {
        let failure = try #require(try refusal(pngHeader(width: width, height: height), "a.png"))
        #expect(failure.kind == .badData)
        if width == 20_000 {
            #expect(
                failure.sentence == "size: expected at most 16384 pixels a side and 100 megapixels, found 20000 x 20000"
            )
        }
    }

    @Test("every truncation of a JPEG and of a PNG is refused, and never returns grey")
    func truncated() throws {
        let picture = gradient(width: 40, height: 30)
        for (bytes, name) in [
            (try Array(picture.jpegData(quality: 90)), "a.jpg"), (try Array(picture.pngData()), "a.png"),
        ] {
            // The last bytes of a JPEG are its end marker (2), of a PNG its IEND chunk (12).
            for count in stride(from: 0, to: bytes.count - 2, by: 7) {
                let failure = try refusal(Array(bytes.prefix(count)), name)
                #expect(failure?.kind == .badData, "\(name) cut to \(count) of \(bytes.count) bytes was accepted")
            }
        }
    }

    @Test("a truncation says so")
    func truncatedSentence() throws {
        let jpeg = try Array(gradient(width: 200, height: 200).jpegData(quality: 90))
        #expect(try #require(try refusal(Array(jpeg.prefix(jpeg.count / 2)), "a.jpg")).sentence.contains("truncated"))
        let png = try Array(gradient(width: 200, height: 200).pngData())
        #expect(try #require(try refusal(Array(png.prefix(png.count / 2)), "a.png")).sentence.contains("truncated"))
    }

    @Test("no flipped byte brings the decoder down")
    func flipped() throws {
        let picture = gradient(width: 24, height: 24)
        for bytes in [try Array(picture.jpegData(quality: 90)), try Array(picture.pngData())] {
            var outcomes: Set<Bool> = []
            for position in 0..<bytes.count {
                var damaged = bytes
                damaged[position] ^= 0xFF
                do {
                    let decoded = try Picture(decoding: damaged, name: "a")
                    #expect(decoded.pixels.count == decoded.width * decoded.height * 3)
                    outcomes.insert(true)
                } catch {
                    #expect((error as? Failure)?.kind == .badData)
                    outcomes.insert(false)
                }
            }
            #expect(outcomes.contains(false))
        }
    }
}
