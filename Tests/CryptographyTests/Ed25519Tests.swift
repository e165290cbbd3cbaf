import Cryptography
import Foundation
import Testing

/// Ed25519: the vectors of RFC 8032, and everything that must not count as a signature or a key.
@Suite struct Ed25519Tests {
    struct Vector: Sendable {
        let seed, publicKey, message, signature: [UInt8]
    }

    /// RFC 8032, section 7.1: tests 1, 2, 3 and SHA(abc).
    static let vectors = [
        Vector(
            seed: bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
            publicKey: bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), message: [],
            signature: bytes(
                """
                e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
                5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
                """)),
        Vector(
            seed: bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
            publicKey: bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"), message: [0x72],
            signature: bytes(
                """
                92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
                """)),
        Vector(
            seed: bytes("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"),
            publicKey: bytes("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"),
            message: [0xaf, 0x82],
            signature: bytes(
                """
                6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
                18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
                """)),
        Vector(
            seed: bytes("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42"),
            publicKey: bytes("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf"),
            message: bytes(
                """
                ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f
                """),
            signature: bytes(
                """
                dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589\
                09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704
                """)),
    ]

    @Test(arguments: vectors) func signaturesAreThoseOfTheRFC(_ vector: Vector) throws {
        let key = try #require(Ed25519.PrivateKey(seed: SecretBytes(vector.seed)))
        #expect(key.publicKey.bytes == vector.publicKey)
        #expect(key.signature(of: vector.message) == vector.signature)
        #expect(key.signature(of: vector.message) == vector.signature, "a second time")
        let publicKey = try #require(Ed25519.PublicKey(bytes: vector.publicKey))
        #expect(publicKey == key.publicKey)
        #expect(publicKey.verifies(vector.signature, of: vector.message))
        #expect(publicKey.verifies(Data(vector.signature), of: Data(vector.message)))
    }

    @Test func newKeysSignAndDiffer() throws {
        let keys = (0..<8).map { _ in Ed25519.PrivateKey() }
        #expect(Set(keys.map(\.publicKey)).count == keys.count)
        let message = [UInt8](repeating: 5, count: 10_000)
        for key in keys {
            let signature = key.signature(of: message)
            #expect(key.publicKey.verifies(signature, of: message))
            #expect(keys.count { $0.publicKey.verifies(signature, of: message) } == 1)
            let again = try #require(Ed25519.PrivateKey(seed: key.seed))
            #expect(again.publicKey == key.publicKey && again.signature(of: message) == signature)
        }
    }

    @Test func everyChangedBitIsRefused() throws {
        let vector = Ed25519Tests.vectors[2], key = try #require(Ed25519.PublicKey(bytes: vector.publicKey))
        for bit in 0..<512 {
            var signature = vector.signature
            signature[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!key.verifies(signature, of: vector.message), "bit \(bit) of the signature")
        }
        for bit in 0..<16 {
            var message = vector.message
            message[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!key.verifies(vector.signature, of: message), "bit \(bit) of the message")
        }
        for bit in 0..<256 {
            var other = vector.publicKey
            other[bit / 8] ^= 1 << UInt8(bit % 8)
            let accepts = Ed25519.PublicKey(bytes: other)?.verifies(vector.signature, of: vector.message)
            #expect(accepts != true, "bit \(bit) of the key")
        }
        #expect(!key.verifies(vector.signature, of: vector.message + [0]))
        #expect(!key.verifies(vector.signature, of: vector.message.dropLast()))
    }

    @Test func otherLengthsAreRefused() throws {
        let vector = Ed25519Tests.vectors[1], key = try #require(Ed25519.PublicKey(bytes: vector.publicKey))
        for count in [0, 1, 32, 63] {
            #expect(
                !key.verifies(vector.signature.prefix(count), of: vector.message), "\(count) bytes of the signature")
        }
        #expect(!key.verifies(vector.signature + [0], of: vector.message))
        for count in [0, 1, 31, 33, 64] {
            let some = [UInt8](repeating: 9, count: count)
            #expect(Ed25519.PublicKey(bytes: some) == nil, "\(count) bytes")
            #expect(Ed25519.PrivateKey(seed: SecretBytes(some)) == nil, "\(count) bytes")
        }
    }

    /// S + L, S + 2 L, ... stand for the same scalar; each would be another signature of the same message.
    @Test(arguments: vectors) func otherSpellingsOfSAreRefused(_ vector: Vector) throws {
        let key = try #require(Ed25519.PublicKey(bytes: vector.publicKey))
        var s = Array(vector.signature[32...])
        for multiple in 1...15 {
            s = sum(s, Ed25519Tests.order)
            #expect(!key.verifies(vector.signature[..<32] + s, of: vector.message), "S + \(multiple) L")
        }
        // The three bits that are above every S below L.
        for bit: UInt8 in [0x20, 0x40, 0x80] {
            var signature = vector.signature
            signature[63] |= bit
            #expect(!key.verifies(signature, of: vector.message))
        }
    }

    static let order: [UInt8] = bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")

    private func sum(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        var carry = 0
        return zip(a, b).map { a, b in
            carry += Int(a) + Int(b)
            defer { carry >>= 8 }
            return UInt8(carry & 0xff)
        }
    }

    /// Under the point of order 1, R = that point and S = 0 fit every message; under the others, one in two to eight.
    @Test(arguments: [UInt8(0), 0x80]) func pointsOfSmallOrderAreNoKeys(sign: UInt8) {
        for digits in [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ] {
            var key = bytes(digits)
            key[31] |= sign
            #expect(Ed25519.PublicKey(bytes: key) == nil, "\(digits), sign \(sign)")
        }
    }

    /// y = p + k is another spelling of y = k.
    @Test(arguments: [UInt8(0), 0x80]) func otherSpellingsOfPointsAreNoKeys(sign: UInt8) {
        for low: UInt8 in 0xed...0xff {
            let key = [low] + [UInt8](repeating: 0xff, count: 30) + [0x7f | sign]
            #expect(Ed25519.PublicKey(bytes: key) == nil, "p + \(low - 0xed), sign \(sign)")
        }
        // p - 2 and p - 3 are below p.
        for low: UInt8 in [0xea, 0xeb] {
            let key = [low] + [UInt8](repeating: 0xff, count: 30) + [0x7f | sign]
            #expect(Ed25519.PublicKey(bytes: key) != nil, "p - \(0xed - low), sign \(sign)")
        }
    }

    /// y = 2 lies on no point of the curve: such a key verifies nothing.
    @Test func whatIsNoPointVerifiesNothing() throws {
        let vector = Ed25519Tests.vectors[0]
        let key = try #require(Ed25519.PublicKey(bytes: [2] + [UInt8](repeating: 0, count: 31)))
        #expect(!key.verifies(vector.signature, of: vector.message))
        #expect(!key.verifies([UInt8](repeating: 0, count: 64), of: vector.message))
    }
}
