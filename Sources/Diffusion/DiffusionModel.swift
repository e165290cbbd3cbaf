import Networks
import TensorCore

/// What a checkpoint says of its model: everything needed to build it again.
public struct ModelDescription: Codable, Hashable, Sendable {
    public var network: UNetConfiguration
    public var preconditioning: Preconditioning
    public var space: LatentSpace
    /// Height and width of a picture.
    public var height: Int
    public var width: Int
    /// The attributes that it is conditioned on; none where it is empty.
    public var cohort: CohortEncoding
    /// Whether the network takes an embedding that its caller makes, and of which nothing is known here; it is 0 then.
    public var takesEmbedding = false
    /// Set where the weights are an adapter on the parameters of such a network.
    public var adapter: AdapterConfiguration?

    public init(
        network: UNetConfiguration, preconditioning: Preconditioning = Preconditioning(), space: LatentSpace = .pixels,
        height: Int, width: Int, cohort: CohortEncoding
    ) {
        self.network = network
        self.preconditioning = preconditioning
        self.space = space
        self.height = height
        self.width = width
        self.cohort = cohort
    }

    private enum CodingKeys: CodingKey { case network, preconditioning, space, height, width, cohort, takesEmbedding, adapter }

    /// Keys that older files lack have their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        network = try container.decode(UNetConfiguration.self, forKey: .network)
        preconditioning = try container.decode(Preconditioning.self, forKey: .preconditioning)
        space = try container.decodeIfPresent(LatentSpace.self, forKey: .space) ?? .pixels
        height = try container.decode(Int.self, forKey: .height)
        width = try container.decode(Int.self, forKey: .width)
        cohort = try container.decode(CohortEncoding.self, forKey: .cohort)
        takesEmbedding = try container.decodeIfPresent(Bool.self, forKey: .takesEmbedding) ?? false
        adapter = try container.decodeIfPresent(AdapterConfiguration.self, forKey: .adapter)
    }

    /// [count, h, w, C] of the network's input for so many pictures.
    public func latentShape(_ count: Int) -> [Int] { space.shape(count: count, height: height, width: width) }

    /// The noise levels that sampling goes through.
    public var sampledSigmas: ClosedRange<Float> {
        let known = preconditioning.sampledSigmas
        // The embedding takes the timestep's logarithm, and the first is 0.
        guard network.time.kind == .fourier, preconditioning.kind == .discrete else { return known }
        let low = max(known.lowerBound, Float(preconditioning.discrete.sigmas[1]))
        return low...max(low * 1.001, known.upperBound)
    }

    /// Sides of pictures are multiples of this.
    public var sideMultiple: Int { network.sideMultiple * space.factor }

    /// One sentence on what is wrong with a description that came from a file, or nil.
    public var problem: String? {
        if let problem = network.problem { return "network.\(problem)" }
        for (name, channels) in [("inChannels", network.inChannels), ("outChannels", network.outChannels)]
        where channels != space.channels {
            return "network.\(name): expected \(space.channels) for \(space.name), found \(channels)"
        }
        for (name, side) in [("height", height), ("width", width)] {
            guard side > 0, side <= 4096, side % sideMultiple == 0 else {
                return "\(name): expected a multiple of \(sideMultiple) up to 4096, found \(side)"
            }
        }
        if let problem = preconditioning.problem(channels: space.channels) { return "preconditioning.\(problem)" }
        // Both take timesteps 0, 1, 2, ...; a logarithm of a sigma is none.
        if network.time.kind != .positional, preconditioning.kind != .discrete {
            return "network.time.kind: expected positional for preconditioning.kind \(preconditioning.kind.rawValue), found \(network.time.kind.rawValue)"
        }
        if network.time.kind == .learned, preconditioning.discrete.timesteps != network.time.timesteps {
            return "network.time.timesteps: expected those of preconditioning.discrete, found \(network.time.timesteps)"
        }
        if let problem = adapter?.problem { return "adapter.\(problem)" }
        return cohort.problem.map { "cohort.\($0)" }
    }
}

/// A preconditioned denoiser over a UNet, conditioned on a cohort. Parameters come with each call.
public struct DiffusionModel: Sendable {
    public let description: ModelDescription
    public let specifications: [ParameterSpecification]
    private let network: UNet
    /// The table of cohort embeddings, [rows, embeddingWidth]; nil where nothing is conditioned on.
    private let cohortTable: Int?

    /// Paths of the table of cohort embeddings, and of diffusers' table of classes.
    public static let cohortPath = "cohort_embedding.weight", classPath = "class_embedding.weight"

    public init(_ description: ModelDescription) {
        let registry = ParameterRegistry()
        network = UNet(description.network, registry)
        let path = description.cohort.classes == nil ? DiffusionModel.cohortPath : DiffusionModel.classPath
        cohortTable = description.cohort.rowCount == 0
            ? nil
            : registry.register(
                path, [description.cohort.rowCount, description.network.embeddingWidth], .plain, .normal(deviation: 0.5))
        specifications = registry.specifications
        self.description = description
    }

    /// D(x; sigma) with one sigma a picture.
    ///
    /// - Parameters:
    ///   - x: [N, H, W, C].
    ///   - sigma: [N].
    ///   - cohorts: N rows of values in the order of the encoding's attributes.
    public func denoised(
        _ x: Variable, sigma: [Float], cohorts: [[CohortEncoding.Value]], _ parameters: BoundParameters
    ) -> Variable {
        let p = description.preconditioning
        let embedding = cohortTable.map {
            Variable(description.cohort.coefficients(cohorts)).linear(parameters[$0], bias: nil)
        }
        let raw = network(
            x * Variable(p.column(sigma, p.input)), timesteps: sigma.map(p.noise), classEmbedding: embedding, parameters)
        return x * Variable(p.column(sigma, p.skip)) + raw * Variable(p.column(sigma, p.out))
    }

    /// What the network itself gives, [N, H, W, C]: for comparison with other software.
    ///
    /// - Parameters:
    ///   - timesteps: [N], in the network's units.
    ///   - embedding: [N, embeddingWidth], added to that of the timesteps.
    package func networkOutput(
        _ x: Tensor, timesteps: [Float], embedding: Tensor?, _ parameters: BoundParameters
    ) -> Tensor {
        network(Variable(x), timesteps: timesteps, classEmbedding: embedding.map { Variable($0) }, parameters).tensor
    }

    /// Rows of the table of classes or cohorts, [N, embeddingWidth]; nil where there is none.
    package func rows(_ indices: [Int], _ parameters: BoundParameters) -> Tensor? {
        cohortTable.map { parameters[$0].embedding(indices).tensor }
    }
}

/// A model with its parameters and one cohort a picture: what samplers see.
public struct ModelDenoiser: Denoiser {
    private let model: DiffusionModel
    private let parameters: BoundParameters
    private let cohorts: [[CohortEncoding.Value]]

    public init(_ model: DiffusionModel, _ parameters: BoundParameters, cohorts: [[CohortEncoding.Value]]) {
        self.model = model
        self.parameters = parameters
        self.cohorts = cohorts
    }

    public func denoised(_ x: Tensor, sigma: Float) -> Tensor {
        model.denoised(
            Variable(x), sigma: [Float](repeating: sigma, count: x.shape[0]), cohorts: cohorts, parameters
        ).tensor
    }
}
