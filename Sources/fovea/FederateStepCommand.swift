import ArgumentParser
import Consortium
import Datasets
import FederatedTraining
import Federation
import Files
import Foundation
import Models
import Networks
import Training

struct FederateStepCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "federate-step",
        abstract: "One site's step of a round, for a federation engine: weights in, weights and metrics out.",
        discussion: """
            DIR belongs to the site: its data sets (*.h5), and step.yaml with settings of training where the defaults \
            do not suit. Nothing \
            that comes from the engine names a path. Stopped or killed, the same command goes on.

            Example: fovea federate-step --init in.safetensors --out out.safetensors --metrics m.json --data \
            /srv/fovea --round 1
            """)

    @Option(name: .customLong("init"), help: ArgumentHelp("The snapshot that the round begins with.", valueName: "in"))
    var initial: String

    @Option(
        help: ArgumentHelp(
            "Weights to write: a snapshot of float32, or an adapter where --adapter says so.", valueName: "out"))
    var out: String

    @Option(help: ArgumentHelp("Where the metrics go, as JSON.", valueName: "m.json"))
    var metrics: String

    @Option(help: ArgumentHelp("The site's folder with its data sets.", valueName: "dir"))
    var data: String

    @Option(help: ArgumentHelp("The round.", valueName: "n"))
    var round: Int

    @Option(help: "Train an adapter (ffa, lora), or all weights (full) (default: full).")
    var adapter: AdapterOption = .full

    @Option(
        help: ArgumentHelp(
            "Training images to see in this step (default: 2000, or what step.yaml says).", valueName: "n"))
    var images: Int?

    @Option(
        help: ArgumentHelp(
            "Whose signatures count; a base that the coordinator did not sign is refused then.", valueName: "trust.yaml"
        ))
    var trust: String?

    @Flag(
        help:
            """
            Go on with the optimizer's moments of the site's last step, kept in DIR: for many short rounds. A step is \
            then not the same without those before it.
            """
    )
    var keepMoments = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if !(0...1_000_000).contains(round) { throw ValidationError("--round: expected 0 to 1000000, found \(round)") }
        if let images, images < 1 { throw ValidationError("--images: expected at least 1, found \(images)") }
    }

    func run() async throws {
        common.apply()
        for output in [out, metrics] { try StagedFile.requireWritable(output, force: common.force) }
        if let trust { try SignedBase.require(initial, trust: try TrustList(contentsOf: trust), at: Date()) }
        let files = try SiteFolder.datasets(data)
        var sets: [DatasetFile] = []
        for path in files {
            try FileProbe.check(path)
            sets.append(try await DatasetFile.open(path))
        }
        var settings = SiteStep.defaults(try LoadedModel(contentsOf: initial))
        let own = "\(data)/\(SiteFolder.settings)"
        if FileManager.default.fileExists(atPath: own) { settings = try Configuration.read(own, over: settings) }
        settings.images = images ?? settings.images
        settings.tunesEverything = adapter == .full
        settings.adapter.kind = AdapterKind(rawValue: adapter.rawValue) ?? settings.adapter.kind
        let progress = ProgressReporter("train", unit: "images", isQuiet: common.quiet)
        let said = try await SiteStep(base: initial, data: sets, configuration: settings, round: round).run(
            to: out, moments: keepMoments ? "\(data)/\(SiteFolder.moments)" : nil, force: common.force
        ) { event in
            if case .step(let step) = event { progress.update(step.imagesSeen, of: settings.images) }
        }
        progress.end()
        let staged = try StagedFile(metrics, force: common.force)
        try staged.write(Data((try JSONText.encoded(said) + "\n").utf8))
        try staged.commit()
        try common.console.finish(
            said,
            [
                "\(out): round \(round), \(said.images_seen) images of \(said.sites.joined(separator: ", "))"
                    + (said.validation_loss.map {
                        ", validation loss \((said.validation_loss_before ?? .nan).short) to \($0.short)"
                    } ?? "")
            ])
    }
}

/// A site's folder: `*.h5` and, perhaps, `step.yaml`.
enum SiteFolder {
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
