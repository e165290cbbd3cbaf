import CheckpointStore
import Consortium
import Datasets
import Diffusion
import Federation
import Files
import Foundation
import Models
import Networks
import Training

/// Trains a model on the train split of data sets, in a folder from which a run that was stopped can go on.
public struct TrainJob: Job {
    /// Data sets that were made by `fovea import` or `fovea phantom`.
    public var data: [String]
    /// The run's folder.
    public var output: String
    /// How to train.
    public var wishes = TrainingWishes()
    /// The list of those whose signatures count. With a list, a base that the coordinator did not sign is refused.
    public var trust: String?
    /// The folder of a round. It brings the base, the round's number and, where the coordinator asked for them, the
    /// adapter, the number of images and the settings.
    public var roundFolder: String?
    /// After how many minutes the training saves and stops; nil for no limit.
    public var minutes: Double?
    /// The memory in MiB that the training may take; nil for what is available. A training that needs more is refused.
    public var memory: Int?
    /// Go on with the run in the folder.
    public var resumes = false
    /// Begin anew even where the folder holds a run.
    public var replaces = false

    public init(data: [String], to output: String) {
        self.data = data
        self.output = output
    }

    public struct Outcome: JobOutcome {
        public let imagesSeen: Int
        public let imagesPerSecond: Double
        /// The mean loss over the last thousand images; nil where no step was taken.
        public let loss: Double?
        public let validationLoss: Double?
        /// The number of images seen when the validation loss was lowest.
        public let bestImagesSeen: Int
        /// The snapshot's path.
        public let snapshot: String
        /// The most memory that the process has held, in MiB.
        public let peakMebibytes: Int
        /// The peak that was expected before the first step.
        public let estimatedPeakMebibytes: Int

        private enum CodingKeys: String, CodingKey {
            case imagesSeen = "images_seen"
            case imagesPerSecond = "images_per_second"
            case loss
            case validationLoss = "validation_loss"
            case bestImagesSeen = "best_images_seen"
            case snapshot
            case peakMebibytes = "peak_mib"
            case estimatedPeakMebibytes = "estimated_peak_mib"
        }

        public var lines: [String] {
            guard let loss else {
                return ["\(imagesSeen) images were seen before; nothing was left to train", "snapshot: \(snapshot)"]
            }
            return [
                """
                \(imagesSeen) images seen at \(imagesPerSecond.short) images/s, loss \(loss.short), peak \
                \(peakMebibytes) MiB (expected \(estimatedPeakMebibytes))
                """,
                "snapshot: \(snapshot)",
            ]
        }
    }

    public func validate() throws {
        if data.isEmpty { throw Failure(.usage, option: "data", expected: "at least one data set", found: "none") }
        if let minutes, !(minutes > 0) {
            throw Failure(.usage, option: "minutes", expected: "a positive number", found: "\(minutes)")
        }
        if let memory, !(1...1 << 30).contains(memory) {
            throw Failure(.usage, option: "memory", expected: "a number of MiB", found: "\(memory)")
        }
        if let roundFolder {
            guard wishes.base == nil, wishes.round == nil, !resumes else {
                throw Failure(
                    .usage, option: "round", expected: "the folder of a round alone, which brings base and number",
                    found: "\(roundFolder) and \(resumes ? "a run to go on with" : "another base or number")")
            }
            var own = wishes
            own.base = roundFolder
            return try own.validate(resumes: false)
        }
        if trust != nil, wishes.base == nil {
            throw Failure(.usage, option: "trust", "the list is for the signature of a base, but there is no base")
        }
        try wishes.validate(resumes: resumes)
    }

    /// The wishes with those of the round, once the base may be used.
    private func resolved() async throws -> TrainingWishes {
        var wishes = wishes
        if let roundFolder {
            let round = try Round(roundFolder, trust: trust), asked = round.request.training
            try SignedBase.require(round.basePath, trust: round.trust, at: Date())
            (wishes.base, wishes.round) = (round.basePath, round.request.round)
            if wishes.adapter == nil, !wishes.tunesEverything, let adapter = asked?.adapter {
                (wishes.adapter, wishes.tunesEverything) = (AdapterKind(rawValue: adapter.rawValue), adapter == .full)
            }
            wishes.images = wishes.images ?? asked?.images
            wishes.config = try wishes.config ?? round.settingsPath()
        } else if let base = wishes.base {
            if let trust { try SignedBase.require(base, trust: try TrustList(contentsOf: trust), at: Date()) }
            let manifest = try Manifest<ModelDescription>.read(try SafetensorsIndex(contentsOf: base), path: base)
            try WithdrawnSites.refuse(base, sites: manifest.sites, trust: trust)
        }
        return wishes
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let wishes = try await resolved()
        if let canaries = wishes.canaries { _ = try await DatasetFile.open(canaries) }
        let datasets = try await DatasetFile.open(all: data, report)
        let run = try await TrainingRun(
            folder: output, datasets: datasets, resume: resumes, force: replaces, memory: memory.map { $0 << 20 }
        ) { try wishes.configuration($0, datasets: datasets) }
        let total = run.trainer.configuration.images, before = run.trainer.state.imagesSeen
        report.note(
            """
            \(output): \(run.trainer.state.parameters.parameterCount) parameters, \(before) of \(total) images seen, \
            \(Machine.threads) threads
            """)
        for note in run.notes { report.note("\(output): \(note)") }
        if !run.trainer.configuration.canaries.isEmpty {
            report.note("\(output): with canaries; the model never leaves this site")
        }
        let summary = try run.run(timeLimit: minutes.map { .seconds(60 * $0) }) { event in
            switch event {
            case .step(let step, let loss):
                report.progress(
                    "train", "images", step.imagesSeen - before, of: total - before, detail: "loss \(loss.short)")
            case .validation(let seen, let loss, let isBest):
                report.note("\(seen) images: validation loss \(loss.short)\(isBest ? ", the lowest so far" : "")")
            case .saved: break
            }
        }
        if summary.isInterrupted {
            throw Failure(
                .interrupted, output, "stopped at \(summary.imagesSeen) images; everything is saved", remedy: .resume)
        }
        return Outcome(
            imagesSeen: summary.imagesSeen, imagesPerSecond: summary.imagesPerSecond, loss: summary.loss,
            validationLoss: summary.bestValidationLoss, bestImagesSeen: summary.bestImagesSeen,
            snapshot: summary.snapshot, peakMebibytes: Machine.peakMebibytes,
            estimatedPeakMebibytes: summary.estimatedPeakBytes >> 20)
    }
}
