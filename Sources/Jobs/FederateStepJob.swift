import Consortium
import Datasets
import FederatedTraining
import Federation
import Files
import Foundation
import Models
import Networks
import Training

/// One site's step of a round, for a federation engine: weights in, weights and metrics out.
///
/// Nothing that comes from the engine names a path. Stopped or killed, the same job goes on.
public struct FederateStepJob: Job {
    /// The snapshot that the round begins with.
    public var initial: String
    /// Weights to write: a snapshot of float32, or an adapter.
    public var output: String
    /// Where the metrics go, as JSON.
    public var metrics: String
    /// The site's folder: its data sets (*.h5), and step.yaml with settings of training where the defaults do not suit.
    public var data: String
    public var round: Int
    /// What is trained: an adapter, or all weights where nil.
    public var adapter: AdapterKind?
    /// Training images to see in this step; nil takes what step.yaml says, or 2000.
    public var images: Int?
    /// Whose signatures count; a base that the coordinator did not sign is refused then.
    public var trust: String?
    /// Go on with the optimizer's moments of the site's last step, kept in its folder.
    public var keepsMoments = false
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
        for file in [output, metrics] { try StagedFile.requireWritable(file, force: replaces) }
        if let trust { try SignedBase.require(initial, trust: try TrustList(contentsOf: trust), at: Date()) }
        let sets = try await DatasetFile.open(all: try SiteFolder.datasets(data))
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
            if case .step(let step) = event { report.progress("train", "images", step.imagesSeen, of: total) }
        }
        let staged = try StagedFile(metrics, force: replaces)
        try staged.write(Data((try JSONText.encoded(said) + "\n").utf8))
        try staged.commit()
        return Outcome(metrics: said, output: output, round: round)
    }
}

/// A site's folder: `*.h5` and, perhaps, `step.yaml`.
private enum SiteFolder {
    static let settings = "step.yaml"
    static let moments = "moments.safetensors"

    /// The data sets in a folder, sorted.
    /// - Throws: `Failure(.noSuchInput)` where there is none.
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
