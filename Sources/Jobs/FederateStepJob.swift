import Consortium
import Datasets
import FederatedTraining
import Federation
import Files
import Foundation
import Models
import Networks
import Training

/// One site's step of a round, for a federation engine: weights come in, weights and metrics go out.
///
/// Nothing that comes from the engine names a path. A job that was stopped or killed goes on when it is run again.
public struct FederateStepJob: Job {
    /// The snapshot that the round begins with.
    public var initial: String
    /// The weights to write: a float32 snapshot, or an adapter.
    public var output: String
    /// The file to which the metrics are written as JSON.
    public var metrics: String
    /// The site's folder. It holds data sets (*.h5) and, where the defaults do not suit, step.yaml with training
    /// settings.
    public var data: String
    public var round: Int
    /// The kind of adapter that is trained; nil trains all weights.
    public var adapter: AdapterKind?
    /// How many training images to see in this step. Nil takes the number in step.yaml, or 2000.
    public var images: Int?
    /// The list of those whose signatures count. With a list, a base that the coordinator did not sign is refused.
    public var trust: String?
    /// Go on with the optimizer's moments of the site's last step, which are kept in the site's folder.
    public var keepsMoments = false
    /// Whether an output that exists may be replaced.
    public var replaces = false

    public init(initial: String, data: String, round: Int, to output: String, metrics: String) {
        self.initial = initial
        self.data = data
        self.round = round
        self.output = output
        self.metrics = metrics
    }

    public struct Outcome: JobOutcome {
        public let metrics: SiteStep.Metrics
        public let output: String
        public let round: Int

        public func encode(to encoder: any Encoder) throws { try metrics.encode(to: encoder) }

        public var lines: [String] {
            let losses = metrics.validation_loss.map {
                ", validation loss \((metrics.validation_loss_before ?? .nan).short) to \($0.short)"
            }
            return [
                "\(output): round \(round), \(metrics.images_seen) images of \(metrics.sites.joined(separator: ", "))"
                    + (losses ?? "")
            ]
        }
    }

    public func validate() throws {
        guard (0...1_000_000).contains(round) else {
            throw Failure(.usage, option: "round", expected: "0 to 1000000", found: "\(round)")
        }
        if let images, images < 1 {
            throw Failure(.usage, option: "images", expected: "at least 1", found: "\(images)")
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        try OutputPath.requireOther(output, than: [initial, metrics])
        try OutputPath.requireOther(metrics, than: [initial])
        for file in [output, metrics] { try StagedFile.requireWritable(file, force: replaces) }
        if let trust { try SignedBase.require(initial, trust: try TrustList(contentsOf: trust), at: Date()) }
        let sets = try await DatasetFile.open(all: try SiteFolder.datasets(data), report)
        var settings = SiteStep.defaults(try LoadedModel(contentsOf: initial))
        let own = "\(data)/\(SiteFolder.settings)"
        if FileManager.default.fileExists(atPath: own) { settings = try Configuration.read(own, over: settings) }
        settings.images = images ?? settings.images
        settings.tunesEverything = adapter == nil
        settings.adapter.kind = adapter ?? settings.adapter.kind
        let total = settings.images
        let said = try await SiteStep(base: initial, data: sets, configuration: settings, round: round).run(
            to: output, moments: keepsMoments ? "\(data)/\(SiteFolder.moments)" : nil, force: replaces
        ) { event in
            if case .step(let step, let loss) = event {
                report.progress("train", "images", step.imagesSeen, of: total, detail: "loss \(loss.short)")
            }
        }
        let staged = try StagedFile(metrics, force: replaces)
        try staged.write(Data((try JSONText.encoded(said) + "\n").utf8))
        try staged.commit()
        return Outcome(metrics: said, output: output, round: round)
    }
}

/// The names in a site's folder, which holds `*.h5` and may hold `step.yaml`.
private enum SiteFolder {
    static let settings = "step.yaml"
    static let moments = "moments.safetensors"

    /// The data sets in a folder, sorted.
    /// - Throws: `Failure(.noSuchInput)` where the folder does not exist or holds no data set.
    static func datasets(_ folder: String) throws -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw Failure(.noSuchInput, folder, "is no folder")
        }
        let found = names.filter { $0.hasSuffix(".h5") && !$0.hasPrefix(".") }.sorted()
        guard !found.isEmpty else {
            throw Failure(.noSuchInput, folder, "holds no data set (*.h5); fovea import makes one")
        }
        return found.map { "\(folder)/\($0)" }
    }
}
