import CCrypto
import Foundation

/// Signatures with Ed25519 (RFC 8032, section 5.1): the same key and message always give the same 64 bytes.
public enum Ed25519 {
    public static let keyByteCount = 32
    public static let signatureByteCount = 64

    /// A private key: the seed of 32 bytes (RFC 8032) from which the rest of the key is derived.
    public struct PrivateKey: Sendable {
        /// 32 bytes.
        public let seed: SecretBytes

        public let publicKey: PublicKey

        /// Makes a new key from the system's randomness. The process ends if the system gives no randomness.
        public init() { self.init(ofChecked: SecretBytes(randomCount: keyByteCount)) }

        /// Derives the key from a seed.
        /// - Returns: nil unless the seed has 32 bytes.
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

        /// Reads a public key from its 32 bytes.
        ///
        /// - Returns: nil if there are not 32 bytes, if the coordinate y is not below p = 2^255 - 19 (section 5.1.3
        ///   allows exactly one encoding of each point), or if the order of the point is 1, 2, 4 or 8. Signatures under
        ///   a point of such a small order can be made without a private key. No private key has such a point as its
        ///   public key.
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
        /// Only one encoding of a signature is accepted. It has 64 bytes, its S is below the group's order L (section
        /// 5.1.7), and its R equals, byte for byte, what the equation without the cofactor gives.
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
            // OpenSSL leaves the reason for an invalid signature in the thread's queue of errors.
            if code != 1 { ERR_clear_error() }
            return code == 1
        }
    }

    /// Makes OpenSSL's private key. The caller frees it, and OpenSSL then overwrites its bytes.
    private static func key(seed: SecretBytes) -> OpaquePointer {
        OpenSSL.require(
            seed.withUnsafeBytes {
                EVP_PKEY_new_raw_private_key_ex(
                    OpenSSL.context, "ED25519", nil, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
            }, "Ed25519 takes no private key")
    }

    /// Makes OpenSSL's public key. The caller frees it.
    private static func key(publicKey: [UInt8]) -> OpaquePointer {
        OpenSSL.require(
            EVP_PKEY_new_raw_public_key_ex(OpenSSL.context, "ED25519", nil, publicKey, publicKey.count),
            "Ed25519 takes no public key")
    }

    /// OpenSSL's state for one signing or one verification. The caller frees it.
    private static func operation() -> OpaquePointer { OpenSSL.require(EVP_MD_CTX_new(), "Ed25519 has no memory") }

    /// p = 2^255 - 19. All numbers in this file have the least significant byte first.
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

    /// Compares two numbers of 32 bytes, least significant byte first. Neither number is secret.
    private static func isBelow(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.reversed().lexicographicallyPrecedes(b.reversed())
    }
}
