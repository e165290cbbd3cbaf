/// What a manifest states about canaries: phantom patients, for each of whom a coin flip decided whether the training
/// included them.
public struct CanaryRecord: Codable, Hashable, Sendable {
    /// SHA-256 over the digests of all photographs in the file that the canaries come from, in the file's order.
    public var digest: String
    /// The number of canaries (phantom patients) in the file.
    public var count: Int
    /// The number of canaries that the training included.
    public var included: Int
    /// How often each photograph of an included canary occurs in the training set.
    public var repetitions: Int
    /// The seed of the coin flips.
    public var seed: UInt64

    public init(digest: String, count: Int, included: Int, repetitions: Int, seed: UInt64) {
        self.digest = digest
        self.count = count
        self.included = included
        self.repetitions = repetitions
        self.seed = seed
    }
}
