import CheckpointStore
import Datasets
import FederatedTraining
import Files
import Foundation
import Models
import Networks
import Training

/// Runs a whole federation on one machine, and compares it with each site alone and with all data in one place.
/// Stopped or killed, the same job goes on.
public struct SimulateJob: Job {
    /// Data sets: each is a site, unless `sites` says another number.
    public var data: [String]
    /// The snapshot to begin with.
    public var base: String
    /// Another number of sites deals the patients out, unevenly and skewed; nil for one for each data set.
    public var sites: Int?
    public var rounds = 3
    /// Training images of each site a round.
    public var images = 500
    /// What the sites are skewed by, an attribute of the schema.
    public var skew = "dr_icdr"
    /// What is trained: an adapter, or all weights where nil.
    public var adapter: AdapterKind?
    public var merge = MergeRecord.Settings()
    /// Noises a photograph for the last comparison.
    public var draws = 64
    /// Losses are measured after every so many rounds.
    public var measureEvery = 1
    /// Leave out training at each site alone and in one place.
    public var onlyMerged = false
    public var seed: UInt64 = 0
    /// Settings of training; a YAML file.
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
        var files = try await DatasetFile.open(all: data)
        if let sites, sites != files.count {
            try makeFolder("\(output)/sites")
            files = try await DatasetFile.open(
                all: try await Simulation.deal(
                    files, to: sites, skewedBy: skew, seed: seed, folder: "\(output)/sites"))
        }
        try makeFolder(output)
        var settings = Simulation.Settings()
        (settings.rounds, settings.images, settings.merge) = (rounds, images, merge)
        (settings.lastDraws, settings.onlyMerged, settings.measureEvery) = (draws, onlyMerged, measureEvery)
        settings.adapter = adapter
        if adapter == .lora, merge.rule == .mean { settings.merge.rule = .stack }
        var training = SiteStep.defaults(try LoadedModel(contentsOf: base))
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
                .cannotCreateOutput, path, "the folder could not be made: \((error as NSError).localizedDescription)")
        }
    }
}
