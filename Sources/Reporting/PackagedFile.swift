import Files

/// A file that a card describes.
public struct PackagedFile: Hashable, Sendable {
    /// The path from the card's folder, with `/` between folders.
    public let name: String
    /// SHA-256 of the file's bytes.
    public let digest: Digest
    /// The size of the file in bytes.
    public let byteCount: Int

    public init(name: String, digest: Digest, byteCount: Int) {
        self.name = name
        self.digest = digest
        self.byteCount = byteCount
    }
}
