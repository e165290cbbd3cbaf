import CCrypto
import Foundation

/// The bytes of a key. They are overwritten when the last reference to them is released.
public final class SecretBytes: Sendable {
    /// Written while the value is made, and only read from then on.
    private nonisolated(unsafe) let storage: UnsafeMutableRawBufferPointer

    public var count: Int { storage.count }

    /// - Parameter fill: writes all `count` bytes, which are zero beforehand.
    init(count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        storage = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        storage.initializeMemory(as: UInt8.self, repeating: 0)
        fill(storage)
    }

    deinit {
        OPENSSL_cleanse(storage.baseAddress, storage.count)
        storage.deallocate()
    }

    /// Copies `bytes`. Whoever holds the original must wipe it.
    public convenience init(_ bytes: some ContiguousBytes) {
        self.init(count: bytes.withUnsafeBytes(\.count)) { copy in bytes.withUnsafeBytes { copy.copyMemory(from: $0) } }
    }

    /// Makes new bytes for a key from the system's randomness.
    ///
    /// The process ends if the system gives no randomness: a key that can be guessed is worse than no key.
    /// - Parameter count: at least 1.
    public convenience init(randomCount count: Int) {
        precondition(count > 0, "a key has at least one byte")
        self.init(count: count) {
            OpenSSL.require(
                RAND_priv_bytes_ex(OpenSSL.context, $0.baseAddress, $0.count, 256),
                "The system gives no randomness, so no key can be made")
        }
    }

    /// Calls `body` with the bytes, which stay valid only during the call.
    /// - Throws: what `body` throws.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(storage))
    }
}

extension Data {
    /// Overwrites the bytes of a key in this value, in a way that no optimizer leaves out, and then empties the value.
    /// Other copies of the key stay as they are.
    public mutating func wipe() {
        withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
        removeAll()
    }
}
