import CheckpointStore
import Datasets
import Diffusion
import Files
import Foundation
import Models
import Networks
import TensorCore
import Training

/// One site's work in a round: trains the round's base on its own photographs.
///
/// The training runs in the folder `OUT.unfinished`. A step that was stopped or killed goes on from there.
public struct SiteStep: Sendable {
    /// What the site reports about the step. Nothing in it names a patient or a file.
    public struct Metrics: Codable, Hashable, Sendable {
        public var round: Int
        public var sites: [String]
        /// The number of patients in the train split, rounded to 5.
        public var patients: Int
        public var images_seen: Int
        public var images_per_second: Double
        /// The mean training loss over the last thousand images; nil where no step was taken.
        public var loss: Double?
        /// The loss on the validation split before the step; nil where that split is empty or was not measured.
        public var validation_loss_before: Double?
        /// The loss on the validation split after the step; nil where that split is empty or was not measured.
        public var validation_loss: Double?
        /// The number of patients in the validation split, rounded to 5.
        public var validation_patients: Int
        /// The digest of the round's base.
        public var base: String
        /// The digest of the weights that the step wrote.
        public var output: String
    }

    private let base: String
    private let data: [DatasetFile]
    private let configuration: TrainingConfiguration
    private let round: Int

    /// The settings that suit a round, which a site's own settings are laid over.
    public static func defaults(_ base: LoadedModel) -> TrainingConfiguration {
        var settings = TrainingConfiguration()
        settings.start(from: base)
        settings.tunesEverything = true
        settings.snapshotType = .f32
        settings.images = 2_000
        settings.warmUpImages = 200
        settings.patienceInImages = 0
        settings.validateEveryImages = Int.max / 2
        settings.previewEveryImages = Int.max / 2
        settings.firstPreviewAtImages = Int.max / 2
        settings.checkpointEveryImages = 4_000
        return settings
    }

    /// - Parameters:
    ///   - base: the snapshot that the round begins with.
    ///   - configuration: how to train. Its base is replaced by `base`.
    public init(base: String, data: [DatasetFile], configuration: TrainingConfiguration, round: Int) {
        self.base = base
        self.data = data
        self.round = round
        var configuration = configuration
        configuration.base = base
        configuration.seed = TrainingConfiguration.seed(configuration.seed, round: round)
        // The learning rate continues its decay from where the last round left it.
        let before = Double(max(0, round - 1)) * Double(configuration.images)
        configuration.learningRate /= max(1, before / Double(configuration.decayAfterImages)).squareRoot()
        self.configuration = configuration
    }

    /// Trains and writes the weights: a float32 snapshot, or an adapter where the settings ask for it.
    ///
    /// - Parameters:
    ///   - moments: a file at the site that keeps the optimizer's moments between rounds. They are read from it where
    ///     an earlier round wrote them, and written to it for the next round. The file is used for full weights alone:
    ///     the moments of an adapter do not fit an adapter of another base.
    ///   - isMeasured: whether the loss on the validation split is measured before and after.
    /// - Throws: `Failure(.interrupted)` where the user asked to stop, and the same command goes on;
    ///   `Failure(.notPermitted)` where canaries are involved; `Failure(.cannotCreateOutput)` where the output exists
    ///   or an unfinished step has other settings; the failures of training.
    public func run(
        to output: String, moments: String? = nil, isMeasured: Bool = true, force: Bool,
        report: (TrainingEvent) -> Void = { _ in }
    ) async throws -> Metrics {
        try StagedFile.requireWritable(output, force: force)
        let folder = try UnfinishedFolder(for: output)
        let before = try LoadedModel(contentsOf: base)
        // The weights that a step writes leave the site, so that no canary may be in them.
        try before.manifest.requireNoCanaries(path: base)
        guard configuration.canaries.isEmpty else {
            throw Failure(
                .notPermitted, configuration.canaries,
                "canaries: a step's weights leave the site; measure in a training of its own", remedy: .canaries)
        }
        let isBegun = FileManager.default.fileExists(atPath: folder.file("checkpoint.safetensors"))
        let kept = configuration.tunesEverything ? moments : nil,
            hasMoments = kept.map { FileManager.default.fileExists(atPath: $0) } ?? false
        let run = try await TrainingRun(
            folder: folder.path, datasets: data, resume: isBegun, momentsFrom: hasMoments ? kept : nil
        ) { earlier in
            if let earlier, earlier != configuration {
                throw Failure(
                    .cannotCreateOutput, folder.path,
                    "holds a step of other settings, base or round; remove it to begin anew")
            }
            return configuration
        }
        let validation = try await SiteValidation(before, data: data)
        let summary = try run.run(report: report)
        guard !summary.isInterrupted else {
            throw Failure(
                .interrupted, output,
                "stopped at \(summary.imagesSeen) of \(configuration.images) images; the same command goes on")
        }
        let isAdapter = !configuration.tunesEverything
        let made = folder.file(isAdapter ? "snapshot.adapter.safetensors" : "snapshot.safetensors")
        let after = try LoadedModel(contentsOf: folder.file("snapshot.safetensors"))
        let hasValidation = isMeasured && validation.photographCount > 0
        let digest = try Digest(ofFile: made)
        let metrics = Metrics(
            round: round, sites: Set(data.map(\.info.site)).sorted(),
            patients: TrainingData.rounded(
                data.reduce(0) { total, file in total + Set(file.rows(of: .train).map { file.patients[$0] }).count }),
            images_seen: summary.imagesSeen, images_per_second: summary.imagesPerSecond, loss: summary.loss,
            validation_loss_before: hasValidation ? validation.loss(before.parameters) : nil,
            validation_loss: hasValidation ? validation.loss(after.parameters) : nil,
            validation_patients: TrainingData.rounded(validation.patientCount), base: before.digest.description,
            output: digest.description)
        try StagedFile.move(made, to: output)
        if let kept { try StagedFile.move(folder.file("checkpoint.safetensors"), to: kept) }
        try folder.remove(where: SiteStep.isOwn)
        return metrics
    }

    /// Whether a training leaves a file of this name in its folder.
    private static func isOwn(_ name: String) -> Bool {
        ["config.yaml", "log.jsonl", "curve.svg"].contains(name) || name.hasPrefix("preview-")
            || name.hasSuffix(".safetensors")
    }
}
