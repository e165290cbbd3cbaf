import ArgumentParser
import CheckpointStore
import Consortium
import Datasets
import FederatedTraining
import Files
import Foundation
import Models
import Networks
import Training

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract:
            """
            Runs a whole federation on one machine, and compares it with each site alone and with all data in one place.
            """,
        discussion: """
            As many --data as --sites: each data set is a site. Otherwise their patients are dealt out to --sites \
            sites that are uneven and \
            skewed. OUT holds parcels, merged models and, at the end, curves.svg, simulation.md and simulation.json. \
            Stopped or killed, the \
            same command goes on.

            Example: fovea simulate --sites 4 --rounds 5 --data site.h5 --base base.safetensors --out sim
            """)

    @Option(help: ArgumentHelp("Sites (default: one for each data set).", valueName: "n"))
    var sites: Int?

    @Option(help: ArgumentHelp("Rounds (default: 3).", valueName: "n"))
    var rounds: Int = 3

    @Option(help: ArgumentHelp("A data set; may be given several times.", valueName: "site.h5"))
    var data: [String]

    @Option(help: ArgumentHelp("The snapshot to begin with.", valueName: "snapshot"))
    var base: String

    @Option(help: ArgumentHelp("Training images of each site a round (default: 500).", valueName: "n"))
    var images: Int = 500

    @Option(help: ArgumentHelp("What the sites are skewed by (default: dr_icdr).", valueName: "attribute"))
    var skew: String = "dr_icdr"

    @Option(help: "Train an adapter (ffa, lora), or all weights (full) (default: full).")
    var adapter: AdapterOption = .full

    @OptionGroup var rule: MergeRuleOptions

    @Option(help: ArgumentHelp("Noises a photograph for the last comparison (default: 64).", valueName: "n"))
    var draws: Int = 64

    @Option(help: ArgumentHelp("Measure losses after every so many rounds (default: 1).", valueName: "n"))
    var measureEvery: Int = 1

    @Flag(help: "Leave out training at each site alone and in one place.")
    var onlyMerged = false

    @Option(help: ArgumentHelp("Seed of how patients are dealt out, and of the training (default: 0).", valueName: "n"))
    var seed: UInt64 = 0

    @Option(help: ArgumentHelp("Settings of training, as for fovea train.", valueName: "train.yaml"))
    var config: String?

    @Option(help: ArgumentHelp("The simulation's folder.", valueName: "folder"))
    var out: String

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if data.isEmpty { throw ValidationError("--data: expected at least one data set") }
        for (name, number) in [
            ("--rounds", rounds), ("--images", images), ("--draws", draws), ("--measure-every", measureEvery),
            ("--sites", sites ?? 2),
        ] where number < 1 {
            throw ValidationError("\(name): expected at least 1, found \(number)")
        }
    }

    private struct Result: Encodable {
        let comparisons: [SimulationResult.Comparison]
        let rounds: Int
        let output: String
    }

    func run() async throws {
        common.apply()
        var files = try await open(data)
        let count = sites ?? files.count
        if count != files.count {
            try makeFolder("\(out)/sites")
            files = try await open(
                try await Simulation.deal(files, to: count, skewedBy: skew, seed: seed, folder: "\(out)/sites"))
        }
        try makeFolder(out)
        var settings = Simulation.Settings()
        (settings.rounds, settings.images, settings.merge, settings.lastDraws, settings.onlyMerged) = (
            rounds, images, rule.settings, draws, onlyMerged
        )
        settings.measureEvery = measureEvery
        settings.adapter = AdapterKind(rawValue: adapter.rawValue)
        if adapter == .lora, rule.rule == .mean { settings.merge.rule = .stack }
        var training = SiteStep.defaults(try LoadedModel(contentsOf: base))
        training.seed = seed
        if let config { training = try Configuration.read(config, over: training) }
        let simulation = try Simulation(
            folder: out, base: base, sites: files, settings: settings, configuration: training)
        let result = try await simulation.run { common.console.say($0) }
        try common.console.finish(
            Result(comparisons: result.comparisons, rounds: rounds, output: out),
            result.comparisons.map {
                """
                \($0.site), \($0.patients) \($0.split) patients: \($0.first.rawValue) \($0.firstLoss.short), \
                \($0.second.rawValue) \($0.secondLoss.short), 
                """
                    + "difference \($0.difference.short) (\($0.low.short) to \($0.high.short))"
            } + ["\(out)/curves.svg, \(out)/simulation.md"])
    }

    private func makeFolder(_ path: String) throws {
        do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
            throw Failure(
                .cannotCreateOutput, path, "the folder could not be made: \((error as NSError).localizedDescription)")
        }
    }

    private func open(_ paths: [String]) async throws -> [DatasetFile] {
        var files: [DatasetFile] = []
        for path in paths {
            try FileProbe.check(path)
            files.append(try await DatasetFile.open(path))
        }
        return files
    }
}
