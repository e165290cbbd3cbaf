import CCrypto
import Foundation

/// Signatures with Ed25519 (RFC 8032, section 5.1): the same key and message always give the same 64 bytes.
public enum Ed25519 {
    public static let keyByteCount = 32
    public static let signatureByteCount = 64

    /// A private key: the 32 bytes of RFC 8032 from which everything else follows.
    public struct PrivateKey: Sendable {
        /// 32 bytes.
        public let seed: SecretBytes

        public let publicKey: PublicKey

        /// A new key, from the system's randomness. Ends the process where there is none.
        public init() { self.init(ofChecked: SecretBytes(randomCount: keyByteCount)) }

        /// The key that follows from a seed.
        /// - Returns: nil unless it has 32 bytes.
        public init?(seed: SecretBytes) {
            guard seed.count == keyByteCount else { return nil }
            self.init(ofChecked: seed)
        }

        private init(ofChecked seed: SecretBytes) {
            self.seed = seed
            let key = Ed25519.key(seed: seed)
            defer { EVP_PKEY_free(key) }
            publicKey = PublicKey(
                ofChecked: [UInt8](unsafeUninitializedCapacity: keyByteCount) { bytes, count in
                    count = keyByteCount
                    OpenSSL.require(
                        EVP_PKEY_get_raw_public_key(key, bytes.baseAddress, &count), "Ed25519 has no public key"
                    )
                    precondition(count == keyByteCount, "a public key of Ed25519 has 32 bytes")
                })
        }

        /// The signature of `message`, 64 bytes.
        public func signature(of message: some DataProtocol) -> [UInt8] {
            let key = Ed25519.key(seed: seed), operation = Ed25519.operation()
            defer {
                EVP_MD_CTX_free(operation)
                EVP_PKEY_free(key)
            }
            OpenSSL.require(
                EVP_DigestSignInit_ex(operation, nil, nil, OpenSSL.context, nil, key, nil),
                "Ed25519 could not start to sign")
            return [UInt8](unsafeUninitializedCapacity: signatureByteCount) { signature, count in
                count = signatureByteCount
                OpenSSL.require(
                    Array(message).withUnsafeBufferPointer {
                        EVP_DigestSign(operation, signature.baseAddress, &count, $0.baseAddress, $0.count)
                    }, "Ed25519 could not sign")
                precondition(count == signatureByteCount, "a signature of Ed25519 has 64 bytes")
            }
        }
    }

    /// A public key.
    public struct PublicKey: Hashable, Sendable {
        /// 32 bytes.
        public let bytes: [UInt8]

        fileprivate init(ofChecked bytes: [UInt8]) { self.bytes = bytes }

        /// The key that 32 bytes are.
        ///
        /// - Returns: nil for another count of bytes, for a coordinate y that is not below p = 2^255 - 19 (section
        ///   5.1.3 wants exactly one spelling of each point), and for the points of order 1, 2, 4 and 8: under these
        ///   signatures can be made without a private key. No private key has one of them.
        public init?(bytes: some Collection<UInt8>) {
            guard bytes.count == keyByteCount else { return nil }
            // The top bit is the sign of x.
            var y = Array(bytes)
            y[keyByteCount - 1] &= 0x7f
            guard isBelow(y, fieldPrime), !smallOrders.contains(y) else { return nil }
            self.bytes = Array(bytes)
        }

        /// Whether `signature` is this key's signature of `message`.
        ///
        /// Exactly one spelling counts: 64 bytes, of which S is below the group's order L (section 5.1.7) and R is what
        /// the equation without the cofactor gives, byte for byte.
        public func verifies(_ signature: some Collection<UInt8>, of message: some DataProtocol) -> Bool {
            guard signature.count == signatureByteCount, isBelow(Array(signature.suffix(32)), groupOrder) else {
                return false
            }
            let key = Ed25519.key(publicKey: bytes), operation = Ed25519.operation()
            defer {
                EVP_MD_CTX_free(operation)
                EVP_PKEY_free(key)
            }
            OpenSSL.require(
                EVP_DigestVerifyInit_ex(operation, nil, nil, OpenSSL.context, nil, key, nil),
                "Ed25519 could not start to verify")
            let code = Array(message).withUnsafeBufferPointer { message in
                Array(signature).withUnsafeBufferPointer {
                    EVP_DigestVerify(operation, $0.baseAddress, $0.count, message.baseAddress, message.count)
                }
            }
            // A signature that does not fit leaves its reason in the thread's queue of errors.
            if code != 1 { ERR_clear_error() }
            return code == 1
        }
    }

    /// A private key of OpenSSL. The caller frees it, and OpenSSL then overwrites its bytes.
    private static func key(seed: SecretBytes) -> OpaquePointer {
        OpenSSL.require(
            seed.withUnsafeBytes {
                EVP_PKEY_new_raw_private_key_ex(
                    OpenSSL.context, "ED25519", nil, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
            }, "Ed25519 takes no private key")
    }

    /// A public key of OpenSSL. The caller frees it.
    private static func key(publicKey: [UInt8]) -> OpaquePointer {
        OpenSSL.require(
            EVP_PKEY_new_raw_public_key_ex(OpenSSL.context, "ED25519", nil, publicKey, publicKey.count),
            "Ed25519 takes no public key")
    }

    /// OpenSSL's state of one signing or verifying. The caller frees it.
    private static func operation() -> OpaquePointer { OpenSSL.require(EVP_MD_CTX_new(), "Ed25519 has no memory") }

    /// p = 2^255 - 19, the least byte first as everything here.
    private static let fieldPrime = [0xed] + [UInt8](repeating: 0xff, count: 30) + [0x7f]

    /// L = 2^252 + 27742317777372353535851937790883648493.
    private static let groupOrder: [UInt8] =
        [0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14]
        + [UInt8](repeating: 0, count: 15) + [0x10]

    /// The coordinates y of the eight points whose order divides the cofactor 8: 0 (order 4), 1 (order 1), p - 1 (order
    /// 2), and the two of order 8.
    private static let smallOrders: Set<[UInt8]> = [
        [UInt8](repeating: 0, count: 32), [1] + [UInt8](repeating: 0, count: 31),
        [0xec] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
            0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
            0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
    ]

    /// Compares numbers of 32 bytes, the least byte first. Neither is secret.
    private static func isBelow(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.reversed().lexicographicallyPrecedes(b.reversed())
    }
}
