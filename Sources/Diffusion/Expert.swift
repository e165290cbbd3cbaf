import Networks
import TensorCore

/// One network of a model with its latent space and its preconditioning: the denoiser for a range of noise levels.
///
/// All noise levels here are in the expert's own space.
package struct Expert: Sendable {
    package let space: LatentSpace
    package let preconditioning: Preconditioning
    private let network: UNet
    private let cohort: CohortEncoding
    /// The number of the table of cohort embeddings, [rows, embeddingWidth]; nil where the model is not conditioned.
    private let cohortTable: Int?
    /// The number of the table of embeddings of changes, [numbers, embeddingWidth]; nil where the network is not told
    /// how pictures were changed.
    private let augmentationTable: Int?
    /// The number of the table of embeddings of the maps' noise level; nil where there are no maps.
    private let mapTable: Int?
    /// The channels of a black block.
    private let black: [Float]

    init(
        _ network: UNet, _ preconditioning: Preconditioning, _ space: LatentSpace, cohort: CohortEncoding, table: Int?,
        augmentationTable: Int? = nil, mapTable: Int? = nil
    ) {
        self.network = network
        self.preconditioning = preconditioning
        self.space = space
        self.cohort = cohort
        cohortTable = table
        self.augmentationTable = augmentationTable
        self.mapTable = mapTable
        black = preconditioning.gatesSurround ? space.black : []
    }

    /// One sentence that says which settings do not fit together, or nil.
    static func problem(_ network: UNetConfiguration, _ preconditioning: Preconditioning, _ space: LatentSpace)
        -> String?
    {
        if let problem = network.problem { return "network.\(problem)" }
        for (name, channels, expected) in [
            ("inChannels", network.inChannels, space.channels),
            ("outChannels", network.outChannels, space.channels + preconditioning.extraChannels),
        ] where channels != expected {
            return "network.\(name): expected \(expected) for \(space.name), found \(channels)"
        }
        if let problem = preconditioning.problem(channels: space.channels) { return "preconditioning.\(problem)" }
        // The other kinds of embedding take the timesteps 0, 1, 2, ..., and the logarithm of a sigma is not a timestep.
        if network.time.kind != .positional, preconditioning.kind != .discrete {
            return "network.time.kind: expected positional for preconditioning.kind \(preconditioning.kind.rawValue), "
                + "found \(network.time.kind.rawValue)"
        }
        if network.time.kind == .learned, preconditioning.discrete.timesteps != network.time.timesteps {
            return "network.time.timesteps: expected those of preconditioning.discrete, found \(network.time.timesteps)"
        }
        return nil
    }

    /// D(x; sigma) with one sigma for each picture. Where the network predicts what is black, nothing is recorded for
    /// gradients; `losses` is for training.
    ///
    /// - Parameters:
    ///   - x: [N, H, W, C], in this expert's space.
    ///   - sigma: [N].
    ///   - cohorts: N rows of values in the order of the encoding's attributes.
    ///   - maps: [N], the noise level of the structure maps; nil where it is the same as that of the pictures.
    ///   - changes: [N, numbers], how the pictures were changed; nil where they were not changed.
    package func denoised(
        _ x: Variable, sigma: [Float], maps: [Float]? = nil, cohorts: [[CohortEncoding.Value]], changes: Tensor? = nil,
        _ parameters: BoundParameters
    ) -> Variable {
        let raw = output(x, sigma: sigma, maps: maps, cohorts: cohorts, changes: changes, parameters),
            p = preconditioning
        if p.gatesSurround { return Variable(head(sigma, maps: maps).denoised(raw.tensor, x.tensor)) }
        return x * Variable(column(sigma, maps, p.skip)) + raw * Variable(column(sigma, maps, p.out))
    }

    /// The network's output F(c_in x; c_noise).
    func output(
        _ x: Variable, sigma: [Float], maps: [Float]?, cohorts: [[CohortEncoding.Value]], changes: Tensor?,
        _ parameters: BoundParameters
    ) -> Variable {
        let p = preconditioning
        var embedding = cohortTable.map { Variable(cohort.coefficients(cohorts)).linear(parameters[$0], bias: nil) }
        func add(_ numbers: Tensor, _ table: Int) {
            let own = Variable(numbers).linear(parameters[table], bias: nil)
            embedding = embedding.map { $0 + own } ?? own
        }
        if let changes, let augmentationTable { add(changes, augmentationTable) }
        if let mapTable {
            let contrast = space.noiseScale * StructureMap.contrast
            add(MapLevel.coefficients((maps ?? sigma).map { $0 / contrast }), mapTable)
        }
        return network(
            x * Variable(column(sigma, maps, p.input)), timesteps: sigma.map(p.noise), classEmbedding: embedding,
            parameters)
    }

    /// A coefficient for each picture and channel. Channels of maps use the maps' own noise level.
    private func column(_ sigma: [Float], _ maps: [Float]?, _ coefficient: (Float, Float) -> Float) -> Tensor {
        let deviations = preconditioning.channelDeviations
        guard let maps, !deviations.isEmpty else { return preconditioning.column(sigma, coefficient) }
        return Tensor(
            zip(sigma, maps).flatMap { level, mapLevel in
                deviations.enumerated().map {
                    coefficient($0.offset < space.pictureChannels ? level : mapLevel, $0.element)
                }
            }, shape: [sigma.count, 1, 1, deviations.count])
    }

    /// The head that turns the network's output into denoised pictures, where the network predicts what is black.
    func head(_ sigma: [Float], maps: [Float]? = nil) -> DenoiserHead {
        let p = preconditioning
        func rows(_ coefficient: (Float, Float) -> Float) -> Tensor {
            column(sigma, maps, coefficient).reshaped([sigma.count, space.channels])
        }
        return DenoiserHead(skip: rows(p.skip), out: rows(p.out), black: black, offset: Preconditioning.gateOffset)
    }

    /// c_skip x, what preconditioning alone makes of pictures [N, H, W, C] at one noise level.
    package func skipped(_ x: Tensor, sigma: Float) -> Tensor {
        x * preconditioning.column([sigma], preconditioning.skip)
    }

    /// The output of the network itself; see `DiffusionModel.networkOutput`.
    func output(_ x: Tensor, timesteps: [Float], embedding: Tensor?, _ parameters: BoundParameters) -> Tensor {
        network(Variable(x), timesteps: timesteps, classEmbedding: embedding.map { Variable($0) }, parameters).tensor
    }
}
