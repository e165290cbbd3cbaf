import Files
import Foundation
import Support
import Testing

/// SHA-256 and its digits; vectors of NIST FIPS 180-4.
@Suite struct DigestTests {
    private static let vectors: [(text: [UInt8], digest: String)] = [
        ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            Array(
                """
                abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs\
                mnopqrstnopqrstu
                """.utf8),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        (
            [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    @Test(arguments: 0..<5) func `digests are those of the standard, whole and in pieces`(number: Int) throws {
        let (text, digest) = DigestTests.vectors[number]
        #expect(Digest(of: text).description == digest)
        for size in [1, 63, 64, 65, 4096] where text.count < 1000 || size > 1000 {
            var builder = DigestBuilder()
            for start in stride(from: 0, to: text.count, by: size) {
                builder.update(text[start..<min(start + size, text.count)])
                builder.update([UInt8]())
            }
            #expect(builder.finalize().description == digest, "\(size) at a time")
        }
        let folder = try TemporaryFolder(), path = try folder.write([9, 9, 9] + text, "file")
        #expect(try Digest(ofFile: path, from: 3).description == digest)
        #expect(try Digest(ofFile: path) == Digest(of: [9, 9, 9] + text))
    }

    /// More than one piece of 1 MiB.
    @Test func `a file's digest is that of all its bytes`() throws {
        let folder = try TemporaryFolder(), bytes = (0..<(5 << 19) + 7).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        #expect(try Digest(ofFile: try folder.write(bytes, "file")) == Digest(of: bytes))
        expectFailure(.readOrWriteFailed, "could not be read: No such file or directory") {
            try Digest(ofFile: folder.file("none"))
        }
        let failure = expectFailure(.readOrWriteFailed, "could not be read: ") {
            try Digest(ofFile: folder.path, shownAs: "the set")
        }
        #expect(failure?.place == "the set")
    }

    @Test func `64 lower-case digits spell a digest, and nothing else does`() throws {
        let digits = DigestTests.vectors[1].digest
        let digest = try Digest(hexadecimal: digits, field: "f", file: "x")
        #expect(digest == Digest(of: Array("abc".utf8)) && digest.description == digits)
        let wrong: [String] = [
            "", String(digits.dropLast()), String(digits.dropLast(2)), digits + "0", digits + "00", digits.uppercased(),
            String(digits.dropLast()) + "g", "+" + digits.dropFirst(), " " + digits.dropFirst(),
            "é" + digits.dropFirst(2), "0x" + digits.dropFirst(2),
        ]
        for text in wrong {
            let failure = expectFailure(.badData, "base: expected 64 hexadecimal digits, found \(text)", "\(text)") {
                try Digest(hexadecimal: text, field: "base", file: "m.json")
            }
            #expect(failure?.place == "m.json")
        }
    }

    @Test func `a digest has 32 bytes, and is its digits in JSON`() throws {
        #expect(Digest(bytes: [UInt8](repeating: 0, count: 31)) == nil)
        #expect(Digest(bytes: [UInt8](repeating: 0, count: 33)) == nil)
        let digest = try #require(Digest(bytes: [0x0f] + [UInt8](repeating: 0xa0, count: 31)))
        #expect(digest.description == "0f" + String(repeating: "a0", count: 31))
        let json = try JSONText.encoded(["base": digest])
        #expect(json == #"{"base":"\#(digest)"}"#)
        #expect(try JSONText.decode([String: Digest].self, Data(json.utf8), place: "x") == ["base": digest])
        let short = Data(#"{"base":"0f"}"#.utf8)
        expectFailure(.badData, "base: expected 64 hexadecimal digits, found 0f") {
            try JSONDecoder().decode([String: Digest].self, from: short)
        }
    }
}
