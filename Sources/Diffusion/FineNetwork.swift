import Networks

/// A second network for the lowest noise levels, where only edges, thin vessels and grain are undecided.
///
/// Experts for ranges of noise levels are those of Balaji et al. 2022 (eDiff-I, section 4.1). This one is local: it works in
/// small blocks and is trained on crops, so that a few hundred photographs give it tens of thousands of examples, and none of
/// them shows a whole eye.
public struct FineNetwork: Codable, Hashable, Sendable {
    public var network: UNetConfiguration
    public var preconditioning: Preconditioning
    public var space: LatentSpace
    /// It denoises up to this deviation of the noise on pixels in [-1, 1]; above, the model's first network does.
    public var highestNoise: Float

    public init(network: UNetConfiguration, preconditioning: Preconditioning, space: LatentSpace, highestNoise: Float) {
        self.network = network
        self.preconditioning = preconditioning
        self.space = space
        self.highestNoise = highestNoise
    }

    /// One sentence on what is wrong with numbers that came from a file, or nil.
    package func problem(embeddingWidth: Int) -> String? {
        guard highestNoise > 0, highestNoise.isFinite else { return "highestNoise: expected a positive number, found \(highestNoise)" }
        guard preconditioning.kind == .edm else {
            return "preconditioning.kind: expected edm, found \(preconditioning.kind.rawValue)"
        }
        if let problem = Expert.problem(network, preconditioning, space) { return problem }
        guard network.embeddingWidth == embeddingWidth else {
            return "network.time.width: expected \(embeddingWidth), that of the model's first network, found \(network.embeddingWidth)"
        }
        return nil
    }
}
