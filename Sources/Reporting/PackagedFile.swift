import Files

/// A file that cards describe.
public struct PackagedFile: Hashable, Sendable {
    /// Its path below the folder of the card, with `/`.
    public let name: String
    /// SHA-256 of its bytes.
    public let digest: Digest
    /// Bytes.
    public let byteCount: Int

    public init(name: String, digest: Digest, byteCount: Int) {
        self.name = name
        self.digest = digest
        self.byteCount = byteCount
    }
}
