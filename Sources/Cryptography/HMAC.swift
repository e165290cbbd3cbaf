import CCrypto
import Foundation

/// Codes that only the holders of a key can compute (HMAC, RFC 2104, with SHA-256).
public enum HMAC {
    /// The code of `message` under `key`, 32 bytes.
    public static func sha256(_ message: some DataProtocol, key: SecretBytes) -> [UInt8] {
        let message = Array(message)
        return [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { code, count in
            message.withUnsafeBytes { message in
                key.withUnsafeBytes { sha256(message, key: $0, into: UnsafeMutableRawBufferPointer(code)) }
            }
            count = SHA256.byteCount
        }
    }

    /// - Parameter code: receives 32 bytes.
    static func sha256(
        _ message: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, into code: UnsafeMutableRawBufferPointer
    ) {
        var count = 0
        // OpenSSL understands a null address as a missing message or key, so empty ones get an address, too.
        let found = withUnsafeBytes(of: 0 as UInt8) { nothing in
            EVP_Q_mac(
                OpenSSL.context, "HMAC", nil, "SHA256", nil, key.baseAddress ?? nothing.baseAddress, key.count,
                (message.baseAddress ?? nothing.baseAddress)?.assumingMemoryBound(to: UInt8.self), message.count,
                code.baseAddress?.assumingMemoryBound(to: UInt8.self), code.count, &count)
        }
        _ = OpenSSL.require(found, "HMAC failed")
        precondition(count == SHA256.byteCount, "HMAC with SHA-256 has 32 bytes")
    }
}

/// Keys that are derived from another key (HKDF, RFC 5869, with SHA-256).
public enum HKDF {
    /// Derives the key of `count` bytes for the purpose that `info` names.
    /// - Parameters:
    ///   - salt: 32 zeros take the place of an empty salt, as section 2.2 says.
    ///   - count: from 1 to 8,160 bytes (255 blocks).
    public static func sha256(_ key: SecretBytes, salt: [UInt8] = [], info: [UInt8], count: Int) -> SecretBytes {
        precondition((1...255 * SHA256.byteCount).contains(count), "HKDF gives 1 to 8,160 bytes")
        let salt = salt.isEmpty ? [UInt8](repeating: 0, count: SHA256.byteCount) : salt
        // Extract: PRK = HMAC(salt, key).
        let extracted = SecretBytes(count: SHA256.byteCount) { extracted in
            salt.withUnsafeBytes { salt in key.withUnsafeBytes { HMAC.sha256($0, key: salt, into: extracted) } }
        }
        // Expand: T(i) = HMAC(PRK, T(i - 1) + info + i); the key is T(1) + T(2) + ...
        let blocks = (count + SHA256.byteCount - 1) / SHA256.byteCount
        var block = SecretBytes(count: 0) { _ in }
        return SecretBytes(count: count) { output in
            for number in 1...blocks {
                let message = SecretBytes(count: block.count + info.count + 1) { message in
                    block.withUnsafeBytes { message.copyMemory(from: $0) }
                    for (place, byte) in info.enumerated() { message[block.count + place] = byte }
                    message[message.count - 1] = UInt8(number)
                }
                block = SecretBytes(count: SHA256.byteCount) { next in
                    extracted.withUnsafeBytes { key in
                        message.withUnsafeBytes { HMAC.sha256($0, key: key, into: next) }
                    }
                }
                let start = (number - 1) * SHA256.byteCount
                block.withUnsafeBytes {
                    let part = $0.prefix(count - start)
                    UnsafeMutableRawBufferPointer(rebasing: output[start...]).copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: part))
                }
            }
        }
    }
}
