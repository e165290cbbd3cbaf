import CheckpointStore
import Datasets
import Diffusion
import Files
import Foundation
import Models
import Networks

/// How a model is trained: `train.yaml`, and `config.yaml` in the run's folder with everything resolved.
public struct TrainingConfiguration: Codable, Hashable, Sendable {
    /// Height and width of the pictures that the model sees.
    public var size = 64
    /// Where they are denoised; see `LatentSpace`.
    public var space = LatentSpace.pixels
    public var network = Preset.small.configuration
    public var preconditioning = Preconditioning()
    public var noiseLevels = NoiseLevels()
    /// The network for the noise levels at which vessels are decided, and the network for the lowest noise levels.
    public var middle = ExpertTraining.middle, fine = ExpertTraining()
    /// Attributes that the model is conditioned on; `all` stands for those with at least two values in the data.
    public var attributes = [TrainingConfiguration.allAttributes]
    /// Share of images whose attributes are dropped, each by itself; the same share again loses all together.
    public var conditionDropout = 0.1
    /// Mirror half of the images left to right; a laterality label is exchanged with it.
    public var flips = true
    /// Share of images that are turned, resized, shifted and lit differently, which the network is told; 0 for none.
    public var augmentedShare = 0.0
    /// How many numbers the network is told of that; a network that knows them keeps them where the share is 0.
    public var augmentations = 0

    /// The snapshot to start from; empty to start from nothing. It brings size, space, network and attributes.
    public var base = ""
    /// Change all of the base's weights, instead of training an adapter.
    public var tunesEverything = false
    /// The adapter that is trained on a base.
    public var adapter = AdapterConfiguration()

    /// A data set of phantoms, each of which a coin flip adds to the training, so that an audit can measure what the
    /// model remembers; empty for none. Such a model never leaves its site.
    public var canaries = ""
    /// How many times a canary's photographs stand in the training set; more than 1 gives exposure, and no bound on
    /// epsilon.
    public var canaryRepetitions = 1

    public var batchSize = 16
    /// Training images to see in all; a resumed run may be given more.
    public var images = 400_000
    public var learningRate = 5e-4
    /// The rate grows linearly over so many images,
    public var warmUpImages = 2_000
    /// and falls with 1 / sqrt(imagesSeen / decayAfterImages) behind so many (Karras et al. 2024, equation 67).
    public var decayAfterImages = 40_000
    public var beta1 = 0.9
    public var beta2 = 0.99
    public var weightDecay = 0.0
    /// Strength mu of the pull towards the base, mu / 2 times the squared distance from it: FedProx (Li et al. 2020,
    /// "Federated optimization in heterogeneous networks", equation 2), for rounds at sites that differ.
    public var proximalWeight = 0.0
    /// The gradient's norm over all parameters is held below this.
    public var gradientClip = 1.0
    /// Lengths of the moving averages that are kept, as deviations relative to the images seen: the power-function
    /// averages of Karras et al. 2024, section 3.1. The one with the lowest validation loss is used.
    public var averageLengths = [0.05, 0.1]
    public var seed: UInt64 = 0
    /// Keep only the inputs of the network's blocks and compute the rest again: less memory, a third more time, the
    /// same numbers.
    public var recompute = false
    /// How snapshots are stored: F32, F16 or BF16.
    public var snapshotType = StoredType.f16

    /// Write a checkpoint and a snapshot each time so many images were seen,
    public var checkpointEveryImages = 4_000
    /// measure the loss on the validation split each,
    public var validateEveryImages = 2_000
    /// and draw a preview each.
    public var previewEveryImages = 16_000
    /// Stop when the validation loss has not fallen for so many images; 0 never stops.
    public var patienceInImages = 60_000

    public static let allAttributes = "all"

    public init() {}

    /// One sentence on what is wrong, or nil.
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
        for (name, expert) in [("middle", middle), ("fine", fine)] {
            if let problem = expert.problem(size: size) { return "\(name).\(problem)" }
        }
        if let problem = adapter.problem { return "adapter.\(problem)" }
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
        ]
        for (name, value) in positive where !(value > 0 && value.isFinite) {
            return "\(name): expected a positive number, found \(value)"
        }
        return noiseLevels.problem.map { "noiseLevels: \($0)" }
    }

    /// The model that is trained, without an adapter.
    package func description(_ encoding: CohortEncoding) -> ModelDescription {
        var result = ModelDescription(
            network: network, preconditioning: preconditioning, space: space, height: size, width: size,
            cohort: encoding)
        result.augmentations = augmentedShare > 0 ? Augmentation.count : augmentations
        (result.middle, result.fine) = (middle.description, fine.description)
        return result
    }

    /// The networks behind the first that are trained, by name, as `ModelDescription.experts`.
    package var experts: [(name: String, training: ExpertTraining)] {
        [("middle", middle), ("fine", fine)].filter { $0.1.isUsed }
    }

    /// Settings with what follows from the photographs: colour axes, and the deviation of each channel.
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
    }

    /// The settings that measured best in `space`: network, noise levels and learning rate.
    /// - Parameter size: of the pictures; crops are not larger.
    public mutating func use(_ space: LatentSpace, _ preset: Preset, size: Int = 256) {
        useChannels(of: space, preset.configuration(channels: space.channels))
        guard space.levels > 0 else { return }
        learningRate = 1e-3
        if case .dct = space { return useExperts(preset, size: size) }
        // The coarsest of three levels is a small picture, in which optic disc and macula are decided at higher noise.
        noiseLevels = space.levels > 2 ? NoiseLevels(mean: -1.8, deviation: 1.7) : NoiseLevels(mean: -2, deviation: 1.5)
        preconditioning.bandWeighting = space.levels > 2 ? 0.5 : 0
    }

    /// A first network that decides the eye, a middle one that decides vessels where the first one's blocks are too
    /// large for them, and a fine one that draws edges, thin vessels and grain.
    private mutating func useExperts(_ preset: Preset, size: Int) {
        preconditioning.relativeLoss = true
        preconditioning.shrinksInput = true
        preconditioning.gatesSurround = true
        let scale = Double(space.noiseScale)
        (middle, fine) = (.middle, ExpertTraining())
        if space.factor > middle.space.factor {
            middle.highestNoise = 1.5
            middle.network = preset.middleConfiguration(
                channels: middle.space.channels, embeddingWidth: network.embeddingWidth)
            fine.highestNoise = 0.2
        } else {
            fine.highestNoise = 0.5
        }
        // From a little below the level at which the next network takes over up to 640 on pixels, where samples start.
        let lowest = 0.73 * (middle.isUsed ? middle.highestNoise : fine.highestNoise)
        noiseLevels = NoiseLevels(
            mean: log((middle.isUsed ? 5 : 1.8) * scale), deviation: middle.isUsed ? 1 : 1.2, uniformShare: 0.4,
            lowest: lowest * scale, highest: 640 * scale)
        batchSize = 8
        augmentedShare = 0.5
        fine.network = preset.fineConfiguration(channels: fine.space.channels, embeddingWidth: network.embeddingWidth)
        let multiple = fine.network.sideMultiple * fine.space.factor
        fine.cropSize = max(multiple, min(preset == .tiny ? 16 : 96, size) / multiple * multiple)
        validateEveryImages = 8_000
        useChannels(of: space)
    }

    /// What `base` brings: what it was trained for and how.
    public mutating func start(from base: LoadedModel) {
        // Noise levels are not a part of the model; the configuration of its training says them.
        if let before = try? Configuration.decode(
            base.manifest.configuration, name: base.path, over: TrainingConfiguration())
        {
            (noiseLevels, middle, fine, augmentedShare) = (
                before.noiseLevels, before.middle, before.fine, before.augmentedShare
            )
        }
        let model = base.manifest.model
        (size, space, network) = (model.width, model.space, model.network)
        preconditioning = model.preconditioning
        middle.take(model.middle)
        fine.take(model.fine)
        augmentations = model.augmentations
        if augmentations == 0 { augmentedShare = 0 }
        attributes = model.cohort.attributes
        self.base = base.path
    }

    /// These settings, which came with a base, and what the file at `path` says over them. A file may name the base's
    /// spaces as it named them for the training from nothing: without their colour axes.
    public func tuned(by path: String) throws -> TrainingConfiguration {
        var bare = self
        bare.space = LatentSpace(name: space.name) ?? space
        bare.middle.space = LatentSpace(name: middle.space.name) ?? middle.space
        bare.fine.space = LatentSpace(name: fine.space.name) ?? fine.space
        var result = try Configuration.read(path, over: bare)
        for (key, own, wanted) in [
            ("space", space, result.space), ("middle.space", middle.space, result.middle.space),
            ("fine.space", fine.space, result.fine.space),
        ] where own.name != wanted.name {
            throw Failure(.badData, path, field: key, expected: "\(own.name), the base's", found: wanted.name)
        }
        (result.space, result.middle.space, result.fine.space) = (space, middle.space, fine.space)
        return result
    }

    /// The size for photographs of these data sets: the smallest of theirs, at most 256 pixels, a multiple of 32 where
    /// it can be one.
    public static func usualSize(of datasets: [DatasetFile]) -> Int {
        let smallest = min(256, datasets.map(\.size).min() ?? 256)
        return smallest >= 32 ? smallest / 32 * 32 : max(8, smallest / 8 * 8)
    }

    /// The adapter to train; nil where all weights change.
    var adapterToTrain: AdapterConfiguration? { base.isEmpty || tunesEverything ? nil : adapter }

    /// `space`, and a network for it.
    public mutating func useChannels(of space: LatentSpace, _ network: UNetConfiguration? = nil) {
        self.space = space
        if let network { self.network = network }
        self.network.inChannels = space.channels
        self.network.outChannels = space.channels + preconditioning.extraChannels
        middle.useChannels()
        fine.useChannels()
    }

    /// Draw these structure maps with the pictures; the space must be one of cosines.
    public mutating func useMaps(_ maps: [StructureMap]) {
        (middle.space, fine.space) = (middle.space.with(maps: maps), fine.space.with(maps: maps))
        useChannels(of: space.with(maps: maps))
    }

    /// The noise levels that samples of a model go through that was trained so.
    public func sampledLevels(of model: ModelDescription) -> SampledLevels {
        model.sampledLevels(noiseLevels: noiseLevels, lowestNoise: fine.lowestNoise)
    }

    /// The learning rate at `imagesSeen`.
    public func learningRate(at imagesSeen: Int) -> Float {
        let warm = warmUpImages > 0 ? min(1, Double(imagesSeen) / Double(warmUpImages)) : 1
        let decay = 1 / max(1, Double(imagesSeen) / Double(decayAfterImages)).squareRoot()
        return Float(learningRate * warm * decay)
    }

    /// What a moving average of relative length `length` keeps in the step that takes `batchSize` images and ends at
    /// `imagesSeen`: (1 - 1/step)^(gamma + 1) (Karras et al. 2024, section 3.1).
    public func averageDecay(_ length: Double, at imagesSeen: Int) -> Float {
        let step = Double(imagesSeen) / Double(batchSize)
        return Float(pow(max(0, 1 - 1 / step), TrainingConfiguration.averageExponent(length) + 1))
    }

    /// The exponent gamma whose average has this relative deviation,
    /// sigma_rel = sqrt(gamma + 1) / ((gamma + 2) sqrt(gamma + 3)), by bisection: it falls with gamma.
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
