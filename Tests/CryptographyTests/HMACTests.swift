import Cryptography
import Foundation
import Testing

/// HMAC and HKDF with SHA-256 against the vectors of RFC 4231 and RFC 5869.
@Suite struct HMACTests {
    struct Case: Sendable {
        let name: String
        let key, message: [UInt8]
        let code: String
    }

    static let cases = [
        Case(
            name: "1", key: [UInt8](repeating: 0x0b, count: 20), message: Array("Hi There".utf8),
            code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        Case(
            name: "2", key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8),
            code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        Case(
            name: "3", key: [UInt8](repeating: 0xaa, count: 20), message: [UInt8](repeating: 0xdd, count: 50),
            code: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        Case(
            name: "4", key: Array(1...25), message: [UInt8](repeating: 0xcd, count: 50),
            code: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        Case(
            name: "6", key: [UInt8](repeating: 0xaa, count: 131),
            message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        Case(
            name: "7", key: [UInt8](repeating: 0xaa, count: 131),
            message: Array(
                """
                This is a test using a larger than block-size key and a larger than block-size data. The key needs to \
                be hashed before being used by the HMAC algorithm.
                """.utf8),
            code: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
        Case(
            name: "nothing under nothing", key: [], message: [],
            code: "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
    ]

    @Test(arguments: cases) func codesAreThoseOfTheRFC(_ vector: Case) {
        #expect(
            HMAC.sha256(vector.message, key: SecretBytes(vector.key)) == bytes(vector.code), "case \(vector.name)")
    }

    /// RFC 2104, section 2, written down with SHA-256 alone.
    @Test func codesAreTheFormula() {
        for count in [1, 16, 63, 64] {
            let key = (0..<count).map { UInt8($0 * 3 + 1) }, message = (0..<200).map { UInt8($0) }
            let padded = key + [UInt8](repeating: 0, count: 64 - count)
            let inner = SHA256.hash(of: padded.map { $0 ^ 0x36 } + message)
            #expect(
                HMAC.sha256(message, key: SecretBytes(key)) == SHA256.hash(of: padded.map { $0 ^ 0x5c } + inner))
        }
    }

    @Test func derivedKeysAreThoseOfTheRFC() {
        let cases: [(key: [UInt8], salt: [UInt8], info: [UInt8], output: String)] = [
            (
                [UInt8](repeating: 0x0b, count: 22), Array(0...0x0c), Array(0xf0...0xf9),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
            ),
            (
                Array(0x00...0x4f), Array(0x60...0xaf), Array(0xb0...0xff),
                """
                b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c\
                59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71\
                cc30c58179ec3e87c14c01d5c1f3434f1d87
                """
            ),
            (
                [UInt8](repeating: 0x0b, count: 22), [], [],
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
            ),
        ]
        for (number, vector) in cases.enumerated() {
            let output = bytes(vector.output)
            for count in [1, 31, 32, 33, output.count] where count <= output.count {
                let derived = HKDF.sha256(
                    SecretBytes(vector.key), salt: vector.salt, info: vector.info, count: count)
                #expect(
                    derived.withUnsafeBytes { Array($0) } == Array(output[..<count]),
                    "case \(number + 1), \(count) bytes")
            }
        }
    }
}
