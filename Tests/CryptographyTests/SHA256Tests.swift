import Cryptography
import Dispatch
import Foundation
import Testing

/// SHA-256 against the examples of FIPS 180-4, and in pieces of every size.
@Suite struct SHA256Tests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            """
            abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn\
            hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu
            """,
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
    ]) func examplesOfTheStandard(text: String, digest: String) {
        #expect(SHA256.hash(of: Array(text.utf8)) == bytes(digest))
        var hash = SHA256()
        hash.update(Data(text.utf8))
        #expect(hash.finalize() == bytes(digest))
    }

    @Test func aMillionTimesA() {
        let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        #expect(
            SHA256.hash(of: million) == bytes("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"))
    }

    /// Sizes around the block of 64 bytes and the padding of 9.
    @Test(arguments: [1, 2, 3, 7, 55, 56, 63, 64, 65, 127, 128, 129, 1000]) func piecesAreTheWhole(size: Int) {
        let whole = (0..<1531).map { UInt8(truncatingIfNeeded: $0 * 167 + $0 / 256) }
        for count in [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1531] {
            let message = whole[..<count]
            var hash = SHA256()
            hash.update([UInt8]())
            for start in stride(from: 0, to: count, by: size) { hash.update(message[start..<min(start + size, count)]) }
            hash.update(Data())
            #expect(hash.finalize() == SHA256.hash(of: message), "\(count) bytes in pieces of \(size)")
        }
    }

    @Test func dataOfSeveralRegionsIsTheWhole() {
        let a = [UInt8](repeating: 1, count: 70), b = [UInt8](repeating: 2, count: 71)
        var pieces = a.withUnsafeBytes { DispatchData(bytes: $0) }
        pieces.append(b.withUnsafeBytes { DispatchData(bytes: $0) })
        #expect(pieces.regions.count == 2)
        #expect(SHA256.hash(of: pieces) == SHA256.hash(of: a + b))
    }

    @Test func aDigestOnTheWayChangesNothing() {
        var hash = SHA256()
        hash.update(Array("ab".utf8))
        #expect(hash.finalize() == SHA256.hash(of: Array("ab".utf8)))
        #expect(hash.finalize() == SHA256.hash(of: Array("ab".utf8)))
        hash.update(Array("c".utf8))
        #expect(hash.finalize() == SHA256.hash(of: Array("abc".utf8)))
    }

    @Test func copiesGoTheirOwnWays() {
        var first = SHA256()
        first.update(Array("a".utf8))
        var second = first
        second.update(Array("x".utf8))
        first.update(Array("b".utf8))
        #expect(first.finalize() == SHA256.hash(of: Array("ab".utf8)))
        #expect(second.finalize() == SHA256.hash(of: Array("ax".utf8)))
    }

    @Test func threadsDoNotDisturbEachOther() async {
        let digests = await withTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<64 { group.addTask { SHA256.hash(of: [UInt8](repeating: 7, count: 100_000)) } }
            return await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
        }
        #expect(digests == [SHA256.hash(of: [UInt8](repeating: 7, count: 100_000))])
    }
}
