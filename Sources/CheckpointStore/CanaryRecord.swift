/// What a manifest says of canaries: phantom patients, each of which a coin flip put into the training.
public struct CanaryRecord: Codable, Hashable, Sendable {
    /// SHA-256 over the digests of all photographs of the file that they come from, in its order.
    public var digest: String
    /// Canaries in the file: phantom patients.
    public var count: Int
    /// How many of them were trained on.
    public var included: Int
    /// How many times each photograph of an included canary stands in the training set.
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
