import CheckpointStore
import Datasets
import Diffusion
import Files
import Foundation
import Models
import Networks

/// The settings of a training: `train.yaml`, and `config.yaml` in the run's folder with every setting resolved.
public struct TrainingConfiguration: Codable, Hashable, Sendable {
    /// Height and width of the pictures that the model sees.
    public var size = 64
    /// The space in which pictures are denoised; see `LatentSpace`.
    public var space = LatentSpace.pixels
    public var network = Preset.small.configuration
    public var preconditioning = Preconditioning()
    public var noiseLevels = NoiseLevels()
    /// The network for the noise levels at which vessels are decided, and the network for the lowest noise levels.
    public var middle = ExpertTraining.middle, fine = ExpertTraining()
    /// The small network from whose answers samples are guided away.
    public var guiding = ExpertTraining.guiding
    /// The attributes that the model is conditioned on; `all` means those with at least two values in the data.
    public var attributes = [TrainingConfiguration.allAttributes]
    /// The share of images for which an attribute is dropped, decided for each attribute. The same share again loses
    /// all attributes at once.
    public var conditionDropout = 0.1
    /// Whether half of the images are mirrored left to right; the laterality label is then exchanged as well.
    public var flips = true
    /// The share of images that are turned, resized, shifted and lit differently, where the network is told how; 0 for
    /// none.
    public var augmentedShare = 0.0
    /// The number of values that tell the network about these changes. A network that takes them keeps them where the
    /// share is 0.
    public var augmentations = 0

    /// The snapshot to start from, or empty. It brings size, space, network and attributes.
    public var base = ""
    /// Whether all of the base's weights are trained, instead of an adapter.
    public var tunesEverything = false
    /// Whether only the guiding network is trained, and all other weights of the base stay as they are.
    public var trainsGuidingAlone = false
    /// Whether the attributes of the data that the base lacks are added to it.
    public var extendsBase = false
    /// The adapter that is trained on a base.
    public var adapter = AdapterConfiguration()

    /// A data set of phantoms; a coin flip decides which of them are added to the training. With them an audit can
    /// measure what the model remembers. Empty for none. A model that was trained with canaries never leaves its site.
    public var canaries = ""
    /// How often a canary's photographs are in the training set. With more than 1, an audit can measure exposure, but
    /// no bound on epsilon.
    public var canaryRepetitions = 1

    public var batchSize = 16
    /// The number of training images to see in all; it may be raised when a run is resumed.
    public var images = 400_000
    public var learningRate = 5e-4
    /// The learning rate grows linearly over this many images.
    public var warmUpImages = 2_000
    /// After this many images the learning rate falls with 1 / sqrt(imagesSeen / decayAfterImages) (Karras et al. 2024,
    /// equation 67).
    public var decayAfterImages = 40_000
    public var beta1 = 0.9
    public var beta2 = 0.99
    public var weightDecay = 0.0
    /// The strength mu of the pull towards the base; the term is mu / 2 times the squared distance from the base. This
    /// is FedProx (Li et al. 2020, "Federated optimization in heterogeneous networks", equation 2), for rounds whose
    /// sites differ.
    public var proximalWeight = 0.0
    /// Gradients whose norm over all parameters is larger than this are scaled down to it.
    public var gradientClip = 1.0
    /// The lengths of the moving averages, as deviations relative to the images seen: the power-function averages of
    /// Karras et al. 2024, section 3.1. The average with the lowest validation loss is used.
    public var averageLengths = [0.05, 0.1]
    public var seed: UInt64 = 0
    /// Whether only the inputs of the network's blocks are kept and the rest is computed again. This takes less memory
    /// and a third more time, and gives the same numbers.
    public var recompute = false
    /// How snapshots are stored: F32, F16 or BF16.
    public var snapshotType = StoredType.f16

    /// Images between two checkpoints; a snapshot is written with each.
    public var checkpointEveryImages = 4_000
    /// Images between two measurements of the loss on the validation split.
    public var validateEveryImages = 2_000
    /// Images between two previews.
    public var previewEveryImages = 16_000
    /// Images before the first preview; the next are drawn after twice, four times, ... as many, until
    /// `previewEveryImages` are seen.
    public var firstPreviewAtImages = 1_000
    /// Training stops when the validation loss has not fallen for this many images; 0 never stops.
    public var patienceInImages = 60_000

    public static let allAttributes = "all"

    public init() {}

    /// One sentence that says what is wrong, or nil.
    public var problem: String? {
        if let problem = network.problem { return "network.\(problem)" }
        for (name, expert) in experts {
            if let problem = expert.network.problem { return "\(name).network.\(problem)" }
        }
        let model = description(CohortEncoding(attributes: []))
        guard size >= 8, size <= 1024, size % model.sideMultiple == 0 else {
            return "size: expected 8 to 1024 and a multiple of \(model.sideMultiple), found \(size)"
        }
        if let problem = model.problem { return problem }
        for (name, expert) in [("middle", middle), ("fine", fine), ("guiding", guiding)] {
            if let problem = expert.problem(size: size) { return "\(name).\(problem)" }
        }
        if let problem = adapter.problem { return "adapter.\(problem)" }
        if trainsGuidingAlone, base.isEmpty || !tunesEverything || !guiding.isUsed || weightDecay != 0 {
            return """
                trainsGuidingAlone: expected a base, --adapter full, guiding.highestNoise above 0 and no weightDecay
                """
        }
        if extendsBase, base.isEmpty { return "extendsBase: there is no base that could be extended" }
        guard (0...0.5).contains(conditionDropout) else {
            return "conditionDropout: expected 0 to 0.5, found \(conditionDropout)"
        }
        guard [0, Augmentation.count].contains(augmentations) else {
            return "augmentations: expected 0 or \(Augmentation.count), found \(augmentations)"
        }
        guard (0...1).contains(augmentedShare) else {
            return "augmentedShare: expected 0 to 1, found \(augmentedShare)"
        }
        guard CanarySet.repetitions.contains(canaryRepetitions) else {
            return
                """
                canaryRepetitions: expected \(CanarySet.repetitions.map(String.init).joined(separator: ", ")), found \
                \(canaryRepetitions)
                """
        }
        guard batchSize <= 1024 else { return "batchSize: expected at most 1024, found \(batchSize)" }
        guard (0..<1).contains(beta1), (0..<1).contains(beta2) else { return "beta1 and beta2: expected 0 up to 1" }
        guard (1...4).contains(averageLengths.count), averageLengths.allSatisfy({ (0.005...0.28).contains($0) }) else {
            return "averageLengths: expected 1 to 4 numbers from 0.005 to 0.28, found \(averageLengths)"
        }
        guard proximalWeight >= 0, proximalWeight.isFinite else {
            return "proximalWeight: expected no negative number, found \(proximalWeight)"
        }
        guard weightDecay >= 0, weightDecay.isFinite, warmUpImages >= 0, patienceInImages >= 0 else {
            return "weightDecay, warmUpImages and patienceInImages: expected no negative number"
        }
        let positive: [(String, Double)] = [
            ("batchSize", Double(batchSize)), ("images", Double(images)), ("learningRate", learningRate),
            ("decayAfterImages", Double(decayAfterImages)), ("gradientClip", gradientClip),
            ("checkpointEveryImages", Double(checkpointEveryImages)),
            ("validateEveryImages", Double(validateEveryImages)), ("previewEveryImages", Double(previewEveryImages)),
            ("firstPreviewAtImages", Double(firstPreviewAtImages)),
        ]
        for (name, value) in positive where !(value > 0 && value.isFinite) {
            return "\(name): expected a positive number, found \(value)"
        }
        return noiseLevels.problem.map { "noiseLevels: \($0)" }
    }

    /// The description of the network that is trained, without an adapter.
    package func description(_ encoding: CohortEncoding) -> ModelDescription {
        var result = ModelDescription(
            network: network, preconditioning: preconditioning, space: space, height: size, width: size,
            cohort: encoding)
        result.augmentations = augmentedShare > 0 ? Augmentation.count : augmentations
        (result.middle, result.fine, result.guiding) = (
            middle.description, fine.description, guiding.description
        )
        return result
    }

    /// The networks after the first that are trained, with their names, as in `ModelDescription.further`.
    package var experts: [(name: String, training: ExpertTraining)] {
        [("middle", middle), ("fine", fine), (ModelDescription.guidingName, guiding)].filter { $0.1.isUsed }
    }

    /// Sets what follows from the photographs: colour axes, and the deviation of each channel.
    package mutating func measure(_ photographs: TrainingSet) {
        let colours =
            space.lacksColours || experts.contains { $0.training.space.lacksColours }
            ? photographs.colourAxes() : .identity
        if space.lacksColours { space = space.with(colours) }
        if space.levels > 0, preconditioning.kind == .edm, preconditioning.channelDeviations.isEmpty {
            preconditioning.channelDeviations = photographs.channelDeviations(space)
        }
        middle.measure(photographs, colours)
        fine.measure(photographs, colours)
        guiding.measure(photographs, colours)
    }

    /// Sets network, noise levels and learning rate to those that were best in measurements with `space`.
    /// - Parameter size: the pictures' size; crops are not larger.
    public mutating func use(_ space: LatentSpace, _ preset: Preset, size: Int = 256) {
        useChannels(of: space, preset.configuration(channels: space.channels))
        guard space.levels > 0 else { return }
        learningRate = 1e-3
        if case .dct = space { return useExperts(preset, size: size) }
        // The coarsest band of three levels is a small picture, in which optic disc and macula are decided at higher
        // noise.
        noiseLevels = space.levels > 2 ? NoiseLevels(mean: -1.8, deviation: 1.7) : NoiseLevels(mean: -2, deviation: 1.5)
        preconditioning.bandWeighting = space.levels > 2 ? 0.5 : 0
    }

    /// Uses three networks. The first decides the eye. The middle one decides vessels, and is used only where the first
    /// one's blocks are too large for that. The fine one draws edges, thin vessels and grain.
    private mutating func useExperts(_ preset: Preset, size: Int) {
        preconditioning.relativeLoss = true
        preconditioning.shrinksInput = true
        preconditioning.gatesSurround = true
        let scale = Double(space.noiseScale)
        (middle, fine, guiding) = (.middle, ExpertTraining(), .guiding)
        if space.factor > middle.space.factor {
            middle.highestNoise = 1.5
            middle.network = preset.middleConfiguration(
                channels: middle.space.channels, embeddingWidth: network.embeddingWidth)
            fine.highestNoise = 0.2
        } else {
            fine.highestNoise = 0.5
        }
        // Noise levels reach from a little below the level at which the next network takes over up to 640 on pixels,
        // where samples start.
        let lowest = 0.73 * (middle.isUsed ? middle.highestNoise : fine.highestNoise)
        noiseLevels = NoiseLevels(
            mean: log((middle.isUsed ? 5 : 1.8) * scale), deviation: middle.isUsed ? 1 : 1.2, uniformShare: 0.4,
            lowest: lowest * scale, highest: 640 * scale)
        batchSize = 8
        augmentedShare = 0.5
        fine.network = preset.fineConfiguration(channels: fine.space.channels, embeddingWidth: network.embeddingWidth)
        guiding.highestNoise = Double(Autoguidance.usualLevels.upperBound)
        guiding.space = space
        guiding.network = preset.guidingConfiguration(channels: space.channels, embeddingWidth: network.embeddingWidth)
        let multiple = fine.network.sideMultiple * fine.space.factor
        fine.cropSize = max(multiple, min(preset == .tiny ? 16 : 96, size) / multiple * multiple)
        validateEveryImages = 8_000
        useChannels(of: space)
    }

    /// Takes the settings that `base` brings: its model, and how it was trained.
    public mutating func start(from base: LoadedModel) {
        // Noise levels are not part of the model. They are in the configuration of its training.
        if let before = try? Configuration.decode(
            base.manifest.configuration, name: base.path, over: TrainingConfiguration())
        {
            (noiseLevels, middle, fine, guiding, augmentedShare) = (
                before.noiseLevels, before.middle, before.fine, before.guiding, before.augmentedShare
            )
        }
        let model = base.manifest.model
        (size, space, network) = (model.width, model.space, model.network)
        preconditioning = model.preconditioning
        middle.take(model.middle)
        fine.take(model.fine)
        guiding.take(model.guiding)
        if model.guiding == nil {
            // What a guiding network would be that the configuration adds.
            if case .dct = model.space { guiding.space = model.space }
            guiding.network.time.width = model.network.embeddingWidth
            guiding.useChannels()
        }
        augmentations = model.augmentations
        if augmentations == 0 { augmentedShare = 0 }
        attributes = model.cohort.attributes
        self.base = base.path
    }

    /// These settings, which came with a base, changed by the settings in the file at `path`. The file may name the
    /// base's spaces without their colour axes, as a file for a training without a base would.
    /// - Throws: `Failure`: `.badData` where the file names another space than the base's; errors of reading the file.
    public func tuned(by path: String) throws -> TrainingConfiguration {
        var bare = self
        bare.space = LatentSpace(name: space.name) ?? space
        bare.middle.space = LatentSpace(name: middle.space.name) ?? middle.space
        bare.fine.space = LatentSpace(name: fine.space.name) ?? fine.space
        bare.guiding.space = LatentSpace(name: guiding.space.name) ?? guiding.space
        var result = try Configuration.read(path, over: bare)
        for (key, own, wanted) in [
            ("space", space, result.space), ("middle.space", middle.space, result.middle.space),
            ("fine.space", fine.space, result.fine.space),
            ("guiding.space", guiding.space, result.guiding.space),
        ] where own.name != wanted.name {
            throw Failure(.badData, path, field: key, expected: "\(own.name), the base's", found: wanted.name)
        }
        (result.space, result.middle.space, result.fine.space, result.guiding.space) = (
            space, middle.space, fine.space, guiding.space
        )
        return result
    }

    /// The usual size for photographs of these data sets: their smallest size, at most 256 pixels, rounded down to a
    /// multiple of 32 (of 8 where it is less than 32).
    public static func usualSize(of datasets: [DatasetFile]) -> Int {
        let smallest = min(256, datasets.map(\.size).min() ?? 256)
        return smallest >= 32 ? smallest / 32 * 32 : max(8, smallest / 8 * 8)
    }

    /// The adapter to train; nil where all weights are trained.
    var adapterToTrain: AdapterConfiguration? { base.isEmpty || tunesEverything ? nil : adapter }

    /// Sets `space`, and the network if one is given, and fits the networks' channels to it.
    public mutating func useChannels(of space: LatentSpace, _ network: UNetConfiguration? = nil) {
        self.space = space
        if let network { self.network = network }
        self.network.inChannels = space.channels
        self.network.outChannels = space.channels + preconditioning.extraChannels
        middle.useChannels()
        fine.useChannels()
        guiding.useChannels()
    }

    /// Sets the structure maps that are drawn with the pictures; the space must be one of cosines.
    public mutating func useMaps(_ maps: [StructureMap]) {
        (middle.space, fine.space, guiding.space) = (
            middle.space.with(maps: maps), fine.space.with(maps: maps), guiding.space.with(maps: maps)
        )
        useChannels(of: space.with(maps: maps))
    }

    /// The noise levels that samples of a model with these training settings go through.
    public func sampledLevels(of model: ModelDescription) -> SampledLevels {
        model.sampledLevels(noiseLevels: noiseLevels, lowestNoise: fine.lowestNoise)
    }

    /// Whether a preview is drawn after the step that ends at `imagesSeen`. The first pictures change the fastest, so
    /// the first previews lie closer together.
    func isPreviewDue(at imagesSeen: Int) -> Bool {
        func isPassed(_ images: Int) -> Bool { imagesSeen >= images && imagesSeen - batchSize < images }
        if imagesSeen / previewEveryImages != (imagesSeen - batchSize) / previewEveryImages { return true }
        return sequence(first: firstPreviewAtImages) { $0 * 2 }.prefix { $0 < previewEveryImages && $0 <= imagesSeen }
            .contains(where: isPassed)
    }

    /// The learning rate at `imagesSeen`.
    public func learningRate(at imagesSeen: Int) -> Float {
        let warm = warmUpImages > 0 ? min(1, Double(imagesSeen) / Double(warmUpImages)) : 1
        let decay = 1 / max(1, Double(imagesSeen) / Double(decayAfterImages)).squareRoot()
        return Float(learningRate * warm * decay)
    }

    /// The part of a moving average of relative length `length` that is kept in a step. The step takes `batchSize`
    /// images and ends at `imagesSeen`: (1 - 1/step)^(gamma + 1) (Karras et al. 2024, section 3.1).
    public func averageDecay(_ length: Double, at imagesSeen: Int) -> Float {
        let step = Double(imagesSeen) / Double(batchSize)
        return Float(pow(max(0, 1 - 1 / step), TrainingConfiguration.averageExponent(length) + 1))
    }

    /// The exponent gamma of the average with this relative deviation, sigma_rel = sqrt(gamma + 1) / ((gamma + 2)
    /// sqrt(gamma + 3)). It is found by bisection, because sigma_rel falls with gamma.
    static func averageExponent(_ length: Double) -> Double {
        var low = 0.0, high = 1e5
        for _ in 0..<100 {
            let gamma = (low + high) / 2
            if (gamma + 1).squareRoot() / ((gamma + 2) * (gamma + 3).squareRoot()) > length {
                low = gamma
            } else {
                high = gamma
            }
        }
        return (low + high) / 2
    }
}
