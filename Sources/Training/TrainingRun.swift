import CheckpointStore
import Cohorts
import Datasets
import Diffusion
import Files
import Foundation
import Models
import Networks
import Pictures
import Randomness
import TensorCore

/// What a run reports while it trains.
public enum TrainingEvent: Sendable {
    /// A step, and the mean loss over the last thousand images of this run.
    case step(TrainingStep, recentLoss: Double)
    case validation(imagesSeen: Int, loss: Double, isBest: Bool)
    case saved(imagesSeen: Int)
}

/// How a run ended.
public struct TrainingSummary: Sendable, Codable {
    public var imagesSeen: Int
    public var imagesPerSecond: Double
    /// The mean loss over the last thousand images of this run; nil where it took no step.
    public var loss: Double?
    public var bestValidationLoss: Double?
    public var bestImagesSeen: Int
    /// The snapshot's path.
    public var snapshot: String
    /// The most memory that the run was expected to hold, estimated before its first step.
    public var estimatedPeakBytes: Int
    public var isInterrupted: Bool
}

/// A training in a folder. The folder has `config.yaml`, `log.jsonl`, `checkpoint.safetensors`, `snapshot.safetensors`
/// (the moving average), `best.safetensors` (the average with the lowest validation loss), `curve.svg` and
/// `preview-*.png`. Where an adapter is trained, there are also `snapshot.adapter.safetensors` and
/// `best.adapter.safetensors`.
public final class TrainingRun {
    public let folder: String
    public let trainer: Trainer
    private let validation: TrainingSet
    private let lineage: TrainingLineage
    /// What a base and the data sets know of different attributes, one sentence each; empty without a base.
    public let notes: [String]
    private let estimate: MemoryEstimate
    private let log: TrainingLog
    /// Keeps two trainings in one folder from overwriting each other's checkpoints; nil after this training has ended.
    private var lock: FolderLock?
    /// The losses by noise level since the last validation.
    private var noiseLosses: LossByNoise

    public var checkpointPath: String { folder + "/checkpoint.safetensors" }
    public var snapshotPath: String { folder + "/snapshot.safetensors" }
    private var configurationPath: String { folder + "/config.yaml" }

    /// Begins a run, or resumes the run in `folder`. A run that was killed before its first checkpoint has nothing to
    /// lose, so it begins again, with or without `resume`.
    ///
    /// - Parameters:
    ///   - force: whether to replace a run in the folder.
    ///   - memory: the bytes that the run may take besides what the process holds already; nil for all available
    ///     memory.
    ///   - momentsFrom: a checkpoint of the same parameters whose Adam moments a new run starts with; nil for zeros.
    ///   - configuration: is given the settings in the folder's `config.yaml` (nil in a new run), and returns the
    ///     settings to use.
    /// - Throws: `Failure`: `.cannotCreateOutput` where the folder holds a checkpoint and neither `resume` nor `force`
    ///   is true, or where another process trains in it; `.noSuchInput` where it holds no run and `resume` is true;
    ///   `.notPermitted` where the permissions of the base have ended; `.badData` for a checkpoint of another model or
    ///   training set; `.usage` where the training does not fit into memory or has seen more images than are asked for.
    ///   All these checks come before anything is written.
    public init(
        folder: String, datasets: [DatasetFile], resume: Bool, force: Bool = false, memory: Int? = nil,
        momentsFrom: String? = nil,
        configuration: (TrainingConfiguration?) throws -> TrainingConfiguration
    ) async throws {
        self.folder = folder
        let files = FileManager.default
        // Whoever holds the folder may be about to write its first checkpoint.
        let held = files.fileExists(atPath: folder) ? try FolderLock(folder) : nil
        let hasCheckpoint = files.fileExists(atPath: folder + "/checkpoint.safetensors")
        if hasCheckpoint, !resume, !force {
            throw Failure(
                .cannotCreateOutput, folder, "holds a run already", remedy: .resumeOrReplace)
        }
        let hasRun = resume && files.fileExists(atPath: folder + "/config.yaml")
        if resume, !hasRun { throw Failure(.noSuchInput, folder, "holds no run that could be resumed") }
        let before = hasRun ? try Configuration.read(folder + "/config.yaml", over: TrainingConfiguration()) : nil
        let name = hasRun ? folder + "/config.yaml" : "configuration"
        let plan = try await TrainingPlan.resolve(try configuration(before), datasets: datasets, name: name)
        (validation, lineage, notes) = (plan.validation, plan.lineage, plan.notes)
        // Both are measured now: what is taken from here on is no longer available.
        let available = memory ?? MemoryFigures.available, limit = available + MemoryFigures.resident
        try MemoryEstimate.requireRoom(
            plan.tuning.specifications, averages: plan.configuration.averageLengths.count, available: available)
        let resumes = resume && hasCheckpoint
        trainer =
            resumes
            ? Trainer(
                plan.configuration, plan.model, plan.tuning, data: plan.training,
                state: try plan.state(folder + "/checkpoint.safetensors"))
            : try plan.trainer(momentsFrom: momentsFrom)
        let seen = trainer.state.imagesSeen
        // The last step may have gone beyond the images by less than a batch.
        if seen - plan.configuration.images >= plan.configuration.batchSize {
            throw Failure(
                .usage, folder, option: "images", expected: "at least the \(seen) images that were seen already",
                found: "\(plan.configuration.images)")
        }
        estimate = try MemoryEstimate(trainer, limit: limit)
        lock = try held ?? TrainingRun.makeFolder(folder)
        if !resumes { TrainingRun.clear(folder) }
        noiseLosses = LossByNoise(plan.configuration.noiseLevels)
        log = try TrainingLog(folder + "/log.jsonl", keepingUpTo: trainer.state.imagesSeen)
        try TrainingRun.write(Data(Configuration.yaml(plan.configuration).utf8), to: configurationPath)
    }

    /// Makes the folder of a new run, and holds it.
    /// - Throws: `Failure(.cannotCreateOutput)`, also where another process has made a run there in the meantime.
    private static func makeFolder(_ folder: String) throws -> FolderLock {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw Failure(
                .cannotCreateOutput, folder,
                "the folder could not be made: \(SystemReason.text(error))")
        }
        let lock = try FolderLock(folder)
        guard !FileManager.default.fileExists(atPath: folder + "/config.yaml") else {
            throw Failure(.cannotCreateOutput, folder, "holds a run already", remedy: .resumeOrReplace)
        }
        return lock
    }

    /// Removes what a replaced run left in the folder and could be mistaken for files of the new run.
    private static func clear(_ folder: String) {
        for name in ["checkpoint", "snapshot", "snapshot.adapter", "best", "best.adapter"] {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name).safetensors")
        }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where name.hasPrefix("preview-") && name.hasSuffix(".png") {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
    }

    /// Trains until all images were seen, the validation loss no longer falls, the time is over, or the task is
    /// cancelled; then saves.
    ///
    /// - Parameter timeLimit: how long to train from now; nil for no limit.
    /// - Throws: `Failure`: `.badData` where the loss is not finite; `.readOrWriteFailed` or `.cannotCreateOutput`
    ///   where a file cannot be written.
    public func run(
        timeLimit: Duration? = nil, report: (TrainingEvent) -> Void = { _ in }
    ) throws -> TrainingSummary {
        let configuration = trainer.configuration
        let clock = ContinuousClock()
        var training = Duration.zero
        let startedAt = trainer.state.imagesSeen
        var recent: [Double] = []
        // The end times of the last steps, for the current speed.
        var ends: [Duration] = [.zero]
        let began = clock.now
        var last = began
        for step in trainer {
            training += clock.now - last
            recent.append(step.loss)
            if recent.count > Swift.max(1, 1000 / configuration.batchSize) { recent.removeFirst() }
            noiseLosses.add(step)
            report(.step(step, recentLoss: recent.reduce(0, +) / Double(recent.count)))
            func isDue(_ every: Int) -> Bool {
                step.imagesSeen / every != (step.imagesSeen - configuration.batchSize) / every
            }
            ends.append(training)
            if ends.count > 21 { ends.removeFirst() }
            let speed =
                Double((ends.count - 1) * configuration.batchSize) / Swift.max(1e-9, (training - ends[0]).seconds)
            try log.append(step, imagesPerSecond: speed)
            if isDue(configuration.validateEveryImages), try validate(report), isPatienceOver { break }
            if configuration.isPreviewDue(at: step.imagesSeen) { try writePreview() }
            if isDue(configuration.checkpointEveryImages) {
                try save()
                report(.saved(imagesSeen: step.imagesSeen))
            }
            if Task.isCancelled { break }
            last = clock.now
            if let timeLimit, last - began >= timeLimit { break }
        }
        defer { lock = nil }
        if let failure = trainer.failure { throw failure }
        try save()
        report(.saved(imagesSeen: trainer.state.imagesSeen))
        let best = trainer.state.bestValidationLoss
        return TrainingSummary(
            imagesSeen: trainer.state.imagesSeen,
            imagesPerSecond: Double(trainer.state.imagesSeen - startedAt) / Swift.max(1e-9, training.seconds),
            loss: recent.isEmpty ? nil : recent.reduce(0, +) / Double(recent.count),
            bestValidationLoss: best.isFinite ? best : nil, bestImagesSeen: trainer.state.bestImagesSeen,
            snapshot: snapshotPath, estimatedPeakBytes: estimate.bytes(batchSize: configuration.batchSize),
            isInterrupted: Task.isCancelled && trainer.state.imagesSeen < configuration.images)
    }

    private var isPatienceOver: Bool {
        let patience = trainer.configuration.patienceInImages
        return patience > 0 && trainer.state.imagesSeen - trainer.state.bestImagesSeen >= patience
    }

    /// Measures the validation loss, and writes the weights to `best` where the loss is the lowest so far.
    /// - Returns: false where the validation split has no photographs.
    private func validate(_ report: (TrainingEvent) -> Void) throws -> Bool {
        guard validation.count > 0 else { return false }
        let losses = trainer.state.averages.indices.map {
            trainer.validationLoss(trainer.network(average: $0), validation)
        }
        let loss = losses.min() ?? .infinity
        trainer.state.chosenAverage = losses.firstIndex(of: loss) ?? 0
        let seen = trainer.state.imagesSeen
        let isBest = loss < trainer.state.bestValidationLoss
        if isBest {
            trainer.state.bestValidationLoss = loss
            trainer.state.bestImagesSeen = seen
            try writeSnapshot("best")
        }
        try log.append(
            validationLosses: losses, errors: trainer.denoisingErrors(chosen, validation), byNoise: noiseLosses,
            imagesSeen: seen)
        noiseLosses = LossByNoise(trainer.configuration.noiseLevels)
        report(.validation(imagesSeen: seen, loss: loss, isBest: isBest))
        return true
    }

    /// The network's parameters according to the best moving average.
    private var chosen: ParameterMap { trainer.network(average: trainer.state.chosenAverage) }

    private func save() throws {
        try ModelFile.write(
            checkpointPath, try manifest(.checkpoint, state: trainer.state.numbers()), trainer.state.fileSources(),
            as: .f32, force: true)
        try writeSnapshot("snapshot")
        let plot = TrainingPlot(log.lines(), baseline: DenoisingBaseline(contentsOf: folder + "/baseline.json"))
        try TrainingRun.write(Data(plot.svg.utf8), to: folder + "/curve.svg")
    }

    /// Writes the moving average as the snapshot `NAME.safetensors`; where an adapter is trained, also the adapter
    /// alone as `NAME.adapter.safetensors`.
    private func writeSnapshot(_ name: String) throws {
        try ModelFile.write(
            "\(folder)/\(name).safetensors", try manifest(.snapshot), chosen.fileSources(),
            as: trainer.configuration.snapshotType, force: true)
        if trainer.model.description.adapter != nil {
            try ModelFile.write(
                "\(folder)/\(name).adapter.safetensors", try manifest(.adapter), trainer.state.average.fileSources(),
                as: trainer.configuration.snapshotType, force: true)
        }
    }

    private func manifest(_ kind: WeightsKind, state: [String: Double]? = nil) throws -> Manifest<ModelDescription> {
        var model = trainer.model.description
        if kind == .snapshot { model.adapter = nil }
        // The manifest of an adapter lists only the adapter's own data; that of a snapshot also lists the base's data.
        let data = kind == .snapshot ? lineage.data + lineage.baseData : lineage.data
        var configuration = trainer.configuration
        // The base's path on this machine is replaced by its digest.
        configuration.base = lineage.parents.first ?? ""
        if let own = lineage.ownCanaries { configuration.canaries = own.digest }
        var manifest = Manifest(
            kind: kind, model: model, cohortSchemaVersion: CohortSchema.version, imagesSeen: trainer.state.imagesSeen,
            trainingData: data, parents: lineage.parents,
            licence: Set(data.map(\.licence)).sorted().joined(separator: " AND "),
            attributions: data.map(\.source), permittedUses: lineage.permittedUses,
            configuration: try Configuration.yaml(configuration), toolVersion: ToolVersion.current, state: state)
        manifest.permissions = lineage.permissions
        manifest.notAlone = lineage.notAlone
        manifest.merges = lineage.merges
        manifest.canaries = lineage.canaries
        return manifest
    }

    /// Writes sixteen samples of the moving average, from the same noise each time.
    private func writePreview() throws {
        let model = trainer.model
        let size = trainer.configuration.size
        let open = [CohortEncoding.Value](repeating: .null, count: trainer.configuration.attributes.count)
        let denoiser = ModelDenoiser(
            model, chosen.constants(), cohorts: [[CohortEncoding.Value]](repeating: open, count: 16))
        let levels = trainer.configuration.sampledLevels(of: model.description),
            usual = UsualSampling(for: model.description)
        let guided = GuidedDenoiser(
            conditional: denoiser, unconditional: denoiser, guidanceScale: 1, guiding: denoiser.guiding,
            autoguidance: usual.autoguidance)
        let planes = model.description.draw(
            guided, usual.kind.rule(gain: usual.gain), schedule: levels.schedule(steps: usual.steps),
            noise: SampleNoise(seed: trainer.configuration.seed, 0..<16))
        let sheet = ContactSheet(pixels: PixelValues.decoded(planes.withPlanes(3)), width: size, height: size)
        try TrainingRun.write(sheet.png(), to: folder + "/preview-\(trainer.state.imagesSeen.padded(to: 8)).png")
    }

    private static func write(_ data: Data, to path: String) throws {
        let staged = try StagedFile(path, force: true)
        try staged.write(data)
        try staged.commit()
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
