import Files
import Foundation
import Pictures
import Support
import Testing

@Suite("JPEG 2000")
struct JPEG2000Tests {
    @Test("a JP2 file and a bare codestream, with and without a transformation of colours", arguments: ["jp2", "j2k"])
    func colours(_ suffix: String) throws {
        let header = try Picture.header(contentsOf: fixture("ramp.\(suffix)"))
        #expect(header.format == .jpeg2000 && header.width == 16 && header.height == 12)
        #expect(header.channels == 3 && header.bitDepth == 8)
        let picture = try Picture(contentsOf: fixture("ramp.\(suffix)"))
        try #require(picture.width == 16 && picture.height == 12)
        for y in 0..<12 {
            for x in 0..<16 {
                #expect(picture[x, y] == SIMD3(UInt8(16 * x), UInt8(20 * y), 80))
            }
        }
    }

    @Test("16 bits are scaled to 8")
    func deep() throws {
        let picture = try Picture(contentsOf: fixture("grey16.jp2"))
        try #require(picture.width == 16)
        for x in 0..<16 {
            let grey = UInt8((4096 * x * 255 + 32_767) / 65_535)
            #expect(picture[x, 5] == SIMD3(grey, grey, grey))
        }
    }

    @Test("a file that was cut off or changed is decoded or refused, and never read beyond its end")
    func damaged() throws {
        for name in ["ramp.jp2", "ramp.j2k", "grey16.jp2"] {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: fixture(name))))
            for count in 13..<bytes.count - 2 {
                expectFailure(.badData, " ", "\(name) with \(count) bytes") {
                    try Picture(decoding: Array(bytes.prefix(count)), name: name)
                }
            }
            for position in 12..<bytes.count {
                var changed = bytes
                changed[position] ^= UInt8(truncatingIfNeeded: position * 73 | 1)
                do {
                    _ = try Picture(decoding: changed, name: name)
                } catch let failure as Failure {
                    #expect(failure.kind == .badData)
                }
            }
        }
    }
}
