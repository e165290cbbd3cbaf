import CCrypto
import Foundation

/// SHA-256 (FIPS 180-4) of bytes that come in pieces. A copy is updated independently of its original.
public struct SHA256: Sendable {
    public static let byteCount = 32

    private var state = State()

    /// OpenSSL's state. Only `update` changes a state, and only while no copy shares it.
    private final class State: @unchecked Sendable {
        let context: OpaquePointer

        init() {
            context = OpenSSL.require(EVP_MD_CTX_new(), "SHA-256 has no memory")
            OpenSSL.require(EVP_DigestInit_ex2(context, OpenSSL.sha256, nil), "SHA-256 could not start")
        }

        init(copying other: State) {
            context = OpenSSL.require(EVP_MD_CTX_new(), "SHA-256 has no memory")
            withExtendedLifetime(other) {
                OpenSSL.require(EVP_MD_CTX_copy_ex(context, other.context), "SHA-256 could not be copied")
            }
        }

        deinit { EVP_MD_CTX_free(context) }
    }

    public init() {}

    /// Adds bytes to the content.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if !isKnownUniquelyReferenced(&state) { state = State(copying: state) }
        withExtendedLifetime(state) {
            OpenSSL.require(EVP_DigestUpdate(state.context, bytes.baseAddress, bytes.count), "SHA-256 failed")
        }
    }

    /// Adds bytes to the content.
    public mutating func update(_ data: some DataProtocol) {
        for region in data.regions { region.withUnsafeBytes { update($0) } }
    }

    /// The digest of all bytes added so far, 32 bytes. More bytes may follow.
    public func finalize() -> [UInt8] {
        let last = State(copying: state)
        return withExtendedLifetime(last) { SHA256.digest { EVP_DigestFinal_ex(last.context, $0, $1) } }
    }

    /// The digest of `data`, 32 bytes.
    public static func hash(of data: some DataProtocol) -> [UInt8] {
        guard data.regions.count == 1, let bytes = data.regions.first else {
            var hash = SHA256()
            hash.update(data)
            return hash.finalize()
        }
        return bytes.withUnsafeBytes { bytes in
            digest { EVP_Digest(bytes.baseAddress, bytes.count, $0, $1, OpenSSL.sha256, nil) }
        }
    }

    private static func digest(_ body: (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>) -> Int32) -> [UInt8]
    {
        [UInt8](unsafeUninitializedCapacity: byteCount) { digest, count in
            var found: UInt32 = 0
            OpenSSL.require(body(digest.baseAddress, &found), "SHA-256 failed")
            precondition(found == byteCount, "SHA-256 has 32 bytes")
            count = byteCount
        }
    }
}
