import Networks
import TensorCore

/// A checkpoint's description of its model: everything that is needed to build the model again.
public struct ModelDescription: Codable, Hashable, Sendable {
    public var network: UNetConfiguration
    public var preconditioning: Preconditioning
    public var space: LatentSpace
    /// Height and width of a picture.
    public var height: Int
    public var width: Int
    /// The encoding of the attributes that the model is conditioned on; without attributes, it is conditioned on
    /// nothing.
    public var cohort: CohortEncoding
    /// Whether the network takes an embedding from its caller whose meaning is not known here; samples then use 0.
    public var takesEmbedding = false
    /// The number of values that tell the first network how a training picture was changed. All are 0 in sampling.
    public var augmentations = 0
    /// The network for the noise levels at which vessels and lesions are decided. It sees whole pictures in smaller
    /// blocks than the first network does. Nil where the first network also denoises these levels.
    public var middle: ExpertNetwork?
    /// The network for the lowest noise levels, at which only edges, thin vessels and grain are undecided. It is local
    /// and is trained on crops, so that a few hundred photographs give it tens of thousands of examples. Nil where the
    /// network before it also denoises these levels.
    public var fine: ExpertNetwork?
    /// A small network from whose answers samples are guided away (autoguidance, Karras et al. 2024). It is trained
    /// with the others and denoises nothing by itself. Nil where there is none.
    public var guiding: ExpertNetwork?
    /// Set where the weights are an adapter on the parameters of this network; nil for whole models.
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

    private enum CodingKeys: CodingKey {
        case network, preconditioning, space, height, width, cohort, takesEmbedding, augmentations, middle, fine,
            guiding, adapter
    }

    /// Keys that are missing in older files get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        network = try container.decode(UNetConfiguration.self, forKey: .network)
        preconditioning = try container.decode(Preconditioning.self, forKey: .preconditioning)
        space = try container.decodeIfPresent(LatentSpace.self, forKey: .space) ?? .pixels
        height = try container.decode(Int.self, forKey: .height)
        width = try container.decode(Int.self, forKey: .width)
        cohort = try container.decode(CohortEncoding.self, forKey: .cohort)
        takesEmbedding = try container.decodeIfPresent(Bool.self, forKey: .takesEmbedding) ?? false
        augmentations = try container.decodeIfPresent(Int.self, forKey: .augmentations) ?? 0
        middle = try container.decodeIfPresent(ExpertNetwork.self, forKey: .middle)
        fine = try container.decodeIfPresent(ExpertNetwork.self, forKey: .fine)
        guiding = try container.decodeIfPresent(ExpertNetwork.self, forKey: .guiding)
        adapter = try container.decodeIfPresent(AdapterConfiguration.self, forKey: .adapter)
    }

    /// The shape of the network's input for `count` pictures, [count, h, w, C].
    public func latentShape(_ count: Int) -> [Int] { space.shape(count: count, height: height, width: width) }

    /// The noise levels that sampling goes through.
    public var sampledSigmas: ClosedRange<Float> {
        // Blocks of cosines are sampled from 80 down to 0.016 on pixels. Three channels hold the means of blocks, and
        // above 80 there is nothing but noise.
        if case .dct = space, preconditioning.kind == .edm { return 0.016 * space.noiseScale...80 * space.noiseScale }
        let known = preconditioning.sampledSigmas
        // The embedding takes the timestep's logarithm, so timestep 0 cannot be used.
        guard network.time.kind == .fourier, preconditioning.kind == .discrete else { return known }
        let low = max(known.lowerBound, Float(preconditioning.discrete.sigmas[1]))
        return low...max(low * 1.001, known.upperBound)
    }

    /// The noise levels that samples go through. The lowest is the lowest level that the fine network was trained at,
    /// so that texture of one or two grey levels remains. Where the first network was trained well above the usual
    /// highest level, samples start there.
    ///
    /// - Parameters:
    ///   - noiseLevels: the levels of the first network's training, in the model's space.
    ///   - lowestNoise: the lowest level of the fine network's training, on pixels.
    package func sampledLevels(noiseLevels: NoiseLevels, lowestNoise: Double) -> SampledLevels {
        let usual = sampledSigmas
        let lowest = fine == nil ? usual.lowerBound : min(usual.lowerBound, Float(lowestNoise) * space.noiseScale)
        return SampledLevels(
            range: lowest...usual.upperBound, start: noiseLevels.start(above: usual.upperBound))
    }

    /// The sides of pictures must be multiples of this.
    public var sideMultiple: Int {
        further.map { $0.network.network.sideMultiple * $0.network.space.factor }.reduce(
            network.sideMultiple * space.factor, max)
    }

    /// The networks after the first with their names, from the highest noise levels to the lowest.
    public var experts: [(name: String, network: ExpertNetwork)] {
        [("middle", middle), ("fine", fine)].compactMap { name, network in network.map { (name, $0) } }
    }

    /// All networks after the first: those that denoise lower noise levels, and the guiding one.
    public var further: [(name: String, network: ExpertNetwork)] {
        experts + (guiding.map { [(ModelDescription.guidingName, $0)] } ?? [])
    }

    package static let guidingName = "guiding"

    /// The highest noise level of each network after the first, in the model's space.
    public var handovers: [Float] { experts.map { $0.network.highestNoise * space.noiseScale } }

    /// One sentence that says which network was never measured on photographs, or nil. A training measures them; a
    /// model that is used must have been trained.
    package var unmeasured: String? {
        let all = [("", preconditioning, space)] + further.map { ($0 + ".", $1.preconditioning, $1.space) }
        for (name, preconditioning, space) in all
        where preconditioning.gatesSurround && preconditioning.channelDeviations.isEmpty {
            return "\(name)preconditioning.channelDeviations: expected \(space.channels) numbers, found none"
        }
        return nil
    }

    /// One sentence that says what is wrong with a description from a file, or nil.
    public var problem: String? {
        if let problem = Expert.problem(network, preconditioning, space) { return problem }
        guard (0...1024).contains(augmentations) else {
            return "augmentations: expected 0 to 1024, found \(augmentations)"
        }
        for (name, expert) in further {
            if let problem = expert.problem(embeddingWidth: network.embeddingWidth) { return "\(name).\(problem)" }
            guard expert.space.maps == space.maps else {
                return
                    """
                    \(name).space.maps: expected those of space, \(space.maps.map(\.rawValue)), found \
                    \(expert.space.maps.map(\.rawValue))
                    """
            }
        }
        if let middle, let fine, fine.highestNoise >= middle.highestNoise {
            return
                """
                fine.highestNoise: expected less than \(middle.highestNoise), that of the middle network, found \
                \(fine.highestNoise)
                """
        }
        for (name, side) in [("height", height), ("width", width)] {
            guard side > 0, side <= 4096, side % sideMultiple == 0 else {
                return "\(name): expected a multiple of \(sideMultiple) up to 4096, found \(side)"
            }
        }
        if let problem = adapter?.problem { return "adapter.\(problem)" }
        return cohort.problem.map { "cohort.\($0)" }
    }
}

/// A preconditioned denoiser of one to three UNets, conditioned on a cohort, and the network that guides it. Parameters
/// come with each call.
public struct DiffusionModel: Sendable {
    public let description: ModelDescription
    public let specifications: [ParameterSpecification]
    /// The networks that denoise, from the highest noise levels to the lowest.
    package let experts: [Expert]
    /// The network from whose answers samples are guided away; nil where there is none.
    private let guiding: Expert?
    /// All networks, in the order of `ModelDescription.further`.
    package var networks: [Expert] { experts + (guiding.map { [$0] } ?? []) }
    /// The highest noise level of each network after the first, falling.
    private let handovers: [Float]
    /// The number of the table of cohort embeddings, [rows, embeddingWidth]; nil where the model is not conditioned.
    private let cohortTable: Int?

    /// The paths of the table of cohort embeddings, and of diffusers' table of classes.
    public static let cohortPath = "cohort_embedding.weight", classPath = "class_embedding.weight"
    /// The path of the table of embeddings of the structure maps' noise level.
    public static let mapPath = "map_embedding.weight"
    /// The path of the table of embeddings that tell how training pictures were changed.
    public static let augmentationPath = "augmentation_embedding.weight"

    /// The model of a description, which must have no `problem`.
    public init(_ description: ModelDescription) {
        let registry = ParameterRegistry()
        let network = UNet(description.network, registry)
        let path = description.cohort.classes == nil ? DiffusionModel.cohortPath : DiffusionModel.classPath
        let table =
            description.cohort.rowCount == 0
            ? nil
            : registry.register(
                path, [description.cohort.rowCount, description.network.embeddingWidth], .plain, .normal(deviation: 0.5)
            )
        let changes =
            description.augmentations == 0
            ? nil
            : registry.register(
                DiffusionModel.augmentationPath, [description.augmentations, description.network.embeddingWidth],
                .plain, .constant(0))
        let maps =
            description.space.maps.isEmpty
            ? nil
            : registry.register(
                DiffusionModel.mapPath, [MapLevel.count, description.network.embeddingWidth], .plain, .constant(0))
        func expert(_ network: UNet, _ preconditioning: Preconditioning, _ space: LatentSpace) -> Expert {
            Expert(
                network, preconditioning, space, cohort: description.cohort, table: table, augmentationTable: changes,
                mapTable: maps)
        }
        let first = expert(network, description.preconditioning, description.space)
        // The parameter paths of a network after the first begin with the network's name.
        let further = description.further.map { name, own in
            let network = registry.nested(name + ".") { UNet(own.network, $0) }
            return expert(network, own.preconditioning, own.space)
        }
        experts = [first] + further.prefix(description.experts.count)
        guiding = description.guiding == nil ? nil : further.last
        handovers = description.handovers
        cohortTable = table
        specifications = registry.specifications
        self.description = description
    }

    /// D(x; sigma) with one sigma for each picture. Each picture goes through the network for its noise level.
    ///
    /// - Parameters:
    ///   - x: [N, H, W, C].
    ///   - sigma: [N].
    ///   - cohorts: N rows of values, in the order of the encoding's attributes.
    public func denoised(
        _ x: Variable, sigma: [Float], cohorts: [[CohortEncoding.Value]], _ parameters: BoundParameters
    ) -> Variable {
        guard sigma.contains(where: { expert(at: $0) > 0 }) else {
            return first.denoised(x, sigma: sigma, cohorts: cohorts, parameters)
        }
        return Variable(
            byExpert(sigma) { expert, rows in
                let noisy = rows.count == sigma.count ? x.tensor : DiffusionModel.rows(x.tensor, rows)
                return answer(
                    of: expert, noisy, sigma: rows.map { sigma[$0] }, cohorts: rows.map { cohorts[$0] }, parameters)
            })
    }

    /// The guiding network's D(x; sigma), [N, H, W, C] in the model's space; the model must have such a network.
    package func guidingAnswer(
        _ x: Tensor, sigma: [Float], cohorts: [[CohortEncoding.Value]], _ parameters: BoundParameters
    ) -> Tensor {
        guard let guiding else { fatalError("DiffusionModel.guidingAnswer: the model has no guiding network") }
        return answer(of: guiding, x, sigma: sigma, cohorts: cohorts, parameters)
    }

    /// D(x; sigma) of one network; x and the result are in the model's space.
    private func answer(
        of expert: Expert, _ x: Tensor, sigma: [Float], cohorts: [[CohortEncoding.Value]],
        _ parameters: BoundParameters
    ) -> Tensor {
        let space = description.space, isOwn = expert.space == space
        let levels = sigma.map { $0 * expert.space.noiseScale / space.noiseScale }
        let input = isOwn ? x : expert.space.encoded(space.decoded(x))
        let output = expert.denoised(Variable(input), sigma: levels, cohorts: cohorts, parameters).tensor
        return isOwn ? output : space.encoded(expert.space.decoded(output))
    }

    /// The weighted squared error of each picture at its noise level, by the network for that level: [N, 1, 1, 1]. For
    /// a model of one network without a gate, this is the loss that is trained, and it can be differentiated. See
    /// `Expert.errors`.
    ///
    /// - Parameters:
    ///   - clean, noise: [N, H, W, C], in the model's space.
    ///   - sigma: [N].
    public func losses(
        clean: Tensor, noise: Tensor, sigma: [Float], cohorts: [[CohortEncoding.Value]], _ parameters: BoundParameters
    ) -> Variable {
        guard sigma.contains(where: { expert(at: $0) > 0 }) else {
            return first.errors(clean: clean, noise: noise, sigma: sigma, cohorts: cohorts, parameters)
        }
        return Variable(
            byExpert(sigma) { expert, rows in
                let space = description.space, isOwn = expert.space == space
                let scale = expert.space.noiseScale / space.noiseScale
                func moved(_ tensor: Tensor) -> Tensor {
                    let own = DiffusionModel.rows(tensor, rows)
                    return isOwn ? own : expert.space.encoded(space.decoded(own))
                }
                // White noise of deviation 1 in the model's space has deviation `scale` in the expert's space.
                return expert.errors(
                    clean: moved(clean), noise: moved(noise).scaled(by: 1 / scale),
                    sigma: rows.map { sigma[$0] * scale },
                    cohorts: rows.map { cohorts[$0] }, parameters
                ).tensor
            })
    }

    /// What preconditioning alone makes of pictures [N, H, W, C] at one noise level: c_skip x, for the network of that
    /// level.
    package func skipped(_ x: Tensor, sigma: Float) -> Tensor {
        let expert = experts[expert(at: sigma)], space = description.space
        if expert.space == space { return expert.skipped(x, sigma: sigma) }
        let level = sigma * expert.space.noiseScale / space.noiseScale
        return space.encoded(expert.space.decoded(expert.skipped(expert.space.encoded(space.decoded(x)), sigma: level)))
    }

    /// The number of the network that denoises a noise level.
    package func expert(at sigma: Float) -> Int { handovers.count { sigma <= $0 } }

    private var first: Expert { experts[0] }

    /// The most places that go through a network after the first in one call (a larger picture goes alone). Layers are
    /// wide enough on large pictures; more places would only take more memory.
    private static let mostPlaces = 1 << 15

    /// Calls `body` with each expert and some of its rows, and puts the results in order.
    private func byExpert(_ sigma: [Float], _ body: (Expert, [Int]) -> Tensor) -> Tensor {
        var parts: [(rows: [Int], tensor: Tensor)] = []
        for (number, expert) in experts.enumerated() {
            let own = sigma.indices.filter { self.expert(at: sigma[$0]) == number }
            let places = description.height * description.width / (expert.space.factor * expert.space.factor)
            let together = number == 0 ? max(1, own.count) : max(1, DiffusionModel.mostPlaces / max(1, places))
            for start in stride(from: 0, to: own.count, by: together) {
                let rows = Array(own[start..<min(start + together, own.count)])
                parts.append((rows, body(expert, rows)))
            }
        }
        if parts.count == 1 { return parts[0].tensor }
        let each = parts[0].tensor.count / parts[0].rows.count
        return Tensor(shape: [sigma.count] + parts[0].tensor.shape.dropFirst()) { target in
            for (rows, tensor) in parts {
                tensor.withUnsafeBuffer { source in
                    for (place, row) in rows.enumerated() {
                        for i in 0..<each { target[row * each + i] = source[place * each + i] }
                    }
                }
            }
        }
    }

    private static func rows(_ tensor: Tensor, _ rows: [Int]) -> Tensor {
        let each = tensor.count / tensor.shape[0]
        return tensor.withUnsafeBuffer { source in
            Tensor(shape: [rows.count] + tensor.shape.dropFirst()) { target in
                for (place, row) in rows.enumerated() {
                    for i in 0..<each { target[place * each + i] = source[row * each + i] }
                }
            }
        }
    }

    /// The output of the first network itself, [N, H, W, C], for comparison with other software.
    ///
    /// - Parameters:
    ///   - timesteps: [N], in the network's units.
    ///   - embedding: [N, embeddingWidth], added to the embedding of the timesteps.
    package func networkOutput(
        _ x: Tensor, timesteps: [Float], embedding: Tensor?, _ parameters: BoundParameters
    ) -> Tensor {
        first.output(x, timesteps: timesteps, embedding: embedding, parameters)
    }

    /// Rows of the table of classes or cohorts, [N, embeddingWidth]; nil where there is no table.
    package func rows(_ indices: [Int], _ parameters: BoundParameters) -> Tensor? {
        cohortTable.map { parameters[$0].embedding(indices).tensor }
    }
}

/// A model with its parameters and one cohort for each picture, as samplers use it.
public struct ModelDenoiser: Denoiser {
    private let model: DiffusionModel
    private let parameters: BoundParameters
    private let cohorts: [[CohortEncoding.Value]]
    private let isGuiding: Bool

    /// - Parameter isGuiding: whether the guiding network answers alone; the model must have one.
    public init(
        _ model: DiffusionModel, _ parameters: BoundParameters, cohorts: [[CohortEncoding.Value]],
        isGuiding: Bool = false
    ) {
        self.model = model
        self.parameters = parameters
        self.cohorts = cohorts
        self.isGuiding = isGuiding
    }

    /// The model's guiding network alone; nil where it has none.
    public var guiding: ModelDenoiser? {
        model.description.guiding.map { _ in
            ModelDenoiser(model, parameters, cohorts: cohorts, isGuiding: true)
        }
    }

    public func denoised(_ x: Tensor, sigma: Float) -> Tensor {
        let levels = [Float](repeating: sigma, count: x.shape[0])
        if isGuiding { return model.guidingAnswer(x, sigma: levels, cohorts: cohorts, parameters) }
        return model.denoised(Variable(x), sigma: levels, cohorts: cohorts, parameters).tensor
    }
}
