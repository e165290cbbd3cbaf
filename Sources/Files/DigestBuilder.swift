import Cryptography
import Foundation

/// A SHA-256 digest of content that comes in pieces.
public struct DigestBuilder: Sendable {
    private var hasher = SHA256()

    public init() {}

    /// Adds a piece to the content.
    public mutating func update(_ data: some DataProtocol) {
        hasher.update(data)
    }

    /// The digest of all pieces added so far.
    public func finalize() -> Digest {
        guard let digest = Digest(bytes: hasher.finalize()) else { fatalError("SHA-256 has 32 bytes") }
        return digest
    }
}
