import Networks

/// A further network of a model, for noise levels below those of the network before it: an expert for a range of noise
/// levels (Balaji et al. 2022, eDiff-I, section 4.1).
public struct ExpertNetwork: Codable, Hashable, Sendable {
    public var network: UNetConfiguration
    public var preconditioning: Preconditioning
    public var space: LatentSpace
    /// The highest noise level of this network, as the deviation of noise on pixels in [-1, 1]. The network before it
    /// denoises higher levels.
    public var highestNoise: Float

    public init(network: UNetConfiguration, preconditioning: Preconditioning, space: LatentSpace, highestNoise: Float) {
        self.network = network
        self.preconditioning = preconditioning
        self.space = space
        self.highestNoise = highestNoise
    }

    /// One sentence that says what is wrong with numbers from a file, or nil.
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
