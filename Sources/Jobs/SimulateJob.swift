import CheckpointStore
import Datasets
import FederatedTraining
import Files
import Foundation
import Models
import Networks
import Training

/// Runs a whole federation on one machine, and compares it with each site alone and with all data in one place. A job
/// that was stopped or killed goes on when it is run again.
public struct SimulateJob: Job {
    /// The data sets. Each is a site, unless `sites` is another number.
    public var data: [String]
    /// The snapshot to begin with.
    public var base: String
    /// The number of sites; nil for one site for each data set. Where the number differs from that of the data sets,
    /// the patients are divided among sites that are uneven and skewed.
    public var sites: Int?
    public var rounds = 3
    /// The number of training images that each site sees in each round.
    public var images = 500
    /// The attribute of the schema by which the sites are skewed.
    public var skew = "dr_icdr"
    /// The kind of adapter that is trained; nil trains all weights.
    public var adapter: AdapterKind?
    /// How the parcels of each round are merged.
    public var merge = MergeRecord.Settings()
    /// How many noises are drawn for each photograph in the last comparison.
    public var draws = 64
    /// Losses are measured after each of this many rounds.
    public var measureEvery = 1
    /// Leave out the training at each site alone and the training on all data in one place.
    public var onlyMerged = false
    public var seed: UInt64 = 0
    /// A YAML file with training settings.
    public var config: String?
    /// The simulation's folder.
    public var output: String

    public init(data: [String], base: String, to output: String) {
        self.data = data
        self.base = base
        self.output = output
    }

    public struct Outcome: JobOutcome {
        public let comparisons: [SimulationResult.Comparison]
        public let rounds: Int
        public let output: String

        public var lines: [String] {
            comparisons.map {
                """
                \($0.site), \($0.patients) \($0.split) patients: \($0.first.rawValue) \($0.firstLoss.short), \
                \($0.second.rawValue) \($0.secondLoss.short), difference \($0.difference.short) (\($0.low.short) to \
                \($0.high.short))
                """
            } + ["\(output)/curves.svg, \(output)/simulation.md"]
        }
    }

    public func validate() throws {
        if data.isEmpty { throw Failure(.usage, option: "data", expected: "at least one data set", found: "none") }
        for (option, number) in [
            ("rounds", rounds), ("images", images), ("draws", draws), ("measureEvery", measureEvery),
            ("sites", sites ?? 2),
        ] where number < 1 {
            throw Failure(.usage, option: option, expected: "at least 1", found: "\(number)")
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let start = try LoadedModel(contentsOf: base)
        var files = try await DatasetFile.open(all: data, report)
        try makeFolder(output)
        // Two simulations in one folder would mix their files.
        let lock = try FolderLock(output)
        defer { withExtendedLifetime(lock) {} }
        if let sites, sites != files.count {
            try makeFolder("\(output)/sites")
            files = try await DatasetFile.open(
                all: try await Simulation.deal(
                    files, to: sites, skewedBy: skew, seed: seed, folder: "\(output)/sites"), report)
        }
        var settings = Simulation.Settings()
        (settings.rounds, settings.images, settings.merge) = (rounds, images, merge)
        (settings.lastDraws, settings.onlyMerged, settings.measureEvery) = (draws, onlyMerged, measureEvery)
        settings.adapter = adapter
        if adapter == .lora, merge.rule == .mean { settings.merge.rule = .stack }
        var training = SiteStep.defaults(start)
        training.seed = seed
        if let config { training = try Configuration.read(config, over: training) }
        let simulation = try Simulation(
            folder: output, base: base, sites: files, settings: settings, configuration: training)
        let result = try await simulation.run { report.note($0) }
        return Outcome(comparisons: result.comparisons, rounds: rounds, output: output)
    }

    private func makeFolder(_ path: String) throws {
        do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
            throw Failure(
                .cannotCreateOutput, path, "the folder could not be made: \(SystemReason.text(error))")
        }
    }
}
