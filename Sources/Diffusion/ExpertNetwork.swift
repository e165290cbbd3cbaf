import Networks

/// A further network of a model, for the noise levels below those of the network before it: an expert for a range of
/// noise levels (Balaji et al. 2022, eDiff-I, section 4.1).
public struct ExpertNetwork: Codable, Hashable, Sendable {
    public var network: UNetConfiguration
    public var preconditioning: Preconditioning
    public var space: LatentSpace
    /// It denoises up to this deviation of the noise on pixels in [-1, 1]; above, the network before it does.
    public var highestNoise: Float

    public init(network: UNetConfiguration, preconditioning: Preconditioning, space: LatentSpace, highestNoise: Float) {
        self.network = network
        self.preconditioning = preconditioning
        self.space = space
        self.highestNoise = highestNoise
    }

    /// One sentence on what is wrong with numbers that came from a file, or nil.
    package func problem(embeddingWidth: Int) -> String? {
        guard highestNoise > 0, highestNoise.isFinite else {
            return "highestNoise: expected a positive number, found \(highestNoise)"
        }
        guard preconditioning.kind == .edm else {
            return "preconditioning.kind: expected edm, found \(preconditioning.kind.rawValue)"
        }
        if let problem = Expert.problem(network, preconditioning, space) { return problem }
        guard network.embeddingWidth == embeddingWidth else {
            return
                """
                network.time.width: expected \(embeddingWidth), that of the model's first network, found \
                \(network.embeddingWidth)
                """
        }
        return nil
    }
}
