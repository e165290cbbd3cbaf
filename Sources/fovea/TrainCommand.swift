import ArgumentParser
import CheckpointStore
import Consortium
import Datasets
import Diffusion
import FederatedTraining
import Federation
import Files
import Foundation
import Models
import Networks
import TensorCore
import Training

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains a diffusion model on the train split of one or more data sets.",
        discussion: """
            RUN holds config.yaml (everything resolved), log.jsonl, checkpoint.safetensors (to resume bit for bit), \
            snapshot.safetensors (the moving average, for sampling), best.safetensors (the snapshot with the lowest \
            validation loss) and preview-*.png. Ctrl-C saves and stops; --resume goes on.

            Example: fovea train --data site.h5 --out run --preset small --size 64 --minutes 60
            """)

    @Option(
        help: ArgumentHelp("A data set made by import or phantom; may be given several times.", valueName: "site.h5"))
    var data: [String]

    @Option(help: ArgumentHelp("The run's folder.", valueName: "run"))
    var out: String

    @Option(help: "Network: \(Preset.allCases.map(\.rawValue).joined(separator: ", ")) (default: small).")
    var preset: Preset?

    @Option(
        help: ArgumentHelp(
            "Height and width of the pictures (default: the data set's, at most 256, a multiple of 32).",
            valueName: "pixels"))
    var size: Int?

    @Option(
        help:
            """
            Where pictures are denoised: pixels, wavelet or dct (default: pixels up to 128 pixels, wavelet above, dct \
            from 256 on).
            """
    )
    var space: LatentSpace.Family?

    @Option(
        help: "Structures of which a map is drawn with each picture: none or vessels (default: none); with --space dct."
    )
    var maps: MapsOption?

    @Option(
        help: ArgumentHelp(
            "A snapshot to start from; it brings network, size, space and attributes.", valueName: "snapshot"))
    var base: String?

    @Option(
        help:
            """
            What to train on a base: ffa (a small adapter with one frozen factor, which merges exactly), lora, or \
            full (default: ffa).
            """
    )
    var adapter: AdapterOption?

    @Option(
        help: ArgumentHelp(
            "Whose signatures count: a base that the coordinator did not sign is refused.", valueName: "trust.yaml"))
    var trust: String?

    @Option(help: ArgumentHelp("The round that it is for: another round draws other noise.", valueName: "n"))
    var round: Int?

    @Option(
        help: ArgumentHelp(
            """
            Phantoms, each of which a coin flip adds to the training, to measure what the model remembers; it never \
            leaves its site then.
            """,
            valueName: "phantoms.h5"))
    var canaries: String?

    @Option(help: ArgumentHelp("Training images to see in all (default: 400000).", valueName: "n"))
    var images: Int?

    @Option(help: ArgumentHelp("Stop after so many minutes, saved; --resume goes on.", valueName: "n"))
    var minutes: Double?

    @Option(
        help: ArgumentHelp(
            "Memory that it may take (default: what is available); a training that needs more is refused.",
            valueName: "MiB"))
    var memory: Int?

    @Option(help: ArgumentHelp("Seed of all randomness (default: 0).", valueName: "n"))
    var seed: UInt64?

    @Option(
        help: ArgumentHelp(
            "Settings; docs/training.md lists them. Options on the command line go before it.", valueName: "train.yaml")
    )
    var config: String?

    @Flag(help: "Go on with the run in the folder.")
    var resume = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if data.isEmpty { throw ValidationError("--data: expected at least one data set") }
        if let minutes, !(minutes > 0) {
            throw ValidationError("--minutes: expected a positive number, found \(minutes)")
        }
        if base != nil, preset != nil || size != nil || space != nil || maps != nil {
            throw ValidationError("--base brings its own network; --preset, --size, --space and --maps go without it")
        }
        if let memory, !(1...1 << 30).contains(memory) {
            throw ValidationError("--memory: expected a number of MiB, found \(memory)")
        }
        if trust != nil, base == nil { throw ValidationError("--trust: expected --base, whose signature is checked") }
        if let round, !(0...1_000_000).contains(round) {
            throw ValidationError("--round: expected 0 to 1000000, found \(round)")
        }
        if adapter != nil, base == nil { throw ValidationError("--adapter: expected --base, what it adapts") }
        if resume,
            base != nil || round != nil || preset != nil || size != nil || space != nil || maps != nil || seed != nil
                || config != nil || canaries != nil
        {
            throw ValidationError(
                "--resume takes its settings from the run's config.yaml; only --images may be changed")
        }
    }

    /// The settings: defaults, then the file, then the command line; or the run's own, with more images.
    /// - Parameter datasets: the pictures are not larger than theirs.
    private func resolve(_ before: TrainingConfiguration?, _ datasets: [DatasetFile]) throws -> TrainingConfiguration {
        var settings = before ?? TrainingConfiguration()
        if !resume, let base {
            settings.start(from: try LoadedModel(contentsOf: base))
            if let config { settings = try settings.tuned(by: config) }
            settings.tunesEverything = adapter == .full
            settings.adapter.kind = adapter.flatMap { AdapterKind(rawValue: $0.rawValue) } ?? settings.adapter.kind
            settings.seed = seed ?? settings.seed
        } else if !resume {
            // What the file says of size and space decides which defaults it goes over.
            let named = try config.map { try Configuration.read($0, over: settings) } ?? settings
            let keys = try config.map { try Configuration.keys($0) } ?? []
            let size = size ?? (keys.contains("size") ? named.size : TrainingConfiguration.usualSize(of: datasets))
            let isSpaceNamed = keys.contains("space")
            let space = space?.space(size: size) ?? (isSpaceNamed ? named.space : LatentSpace.usual(size: size))
            settings.use(space, preset ?? .small, size: size)
            if let config { settings = try Configuration.read(config, over: settings) }
            settings.size = size
            settings.useChannels(of: space, preset?.configuration(channels: space.channels))
            settings.useMaps(maps?.maps ?? settings.space.maps)
            if maps == .vessels, settings.space.maps.isEmpty {
                throw Failure(
                    .usage, nil, field: "--maps",
                    expected: "none for the space \(space.name); vessels goes with --space dct", found: "vessels")
            }
            settings.seed = seed ?? settings.seed
        }
        settings.canaries = canaries ?? settings.canaries
        settings.images = images ?? settings.images
        if let round { settings.seed = SiteStep.seed(settings.seed, round: round) }
        return settings
    }

    private struct Result: Encodable {
        let images_seen: Int
        let images_per_second: Double
        let loss: Double?
        let validation_loss: Double?
        let best_images_seen: Int
        let snapshot: String
        let peak_mib: Int
        /// As expected before the first step.
        let estimated_peak_mib: Int
    }

    func run() async throws {
        common.apply()
        let console = common.console
        if let trust, let base { try SignedBase.require(base, trust: try TrustList(contentsOf: trust), at: Date()) }
        var datasets: [DatasetFile] = []
        if let canaries { try FileProbe.check(canaries) }
        for path in data {
            try FileProbe.check(path)
            datasets.append(try await DatasetFile.open(path))
        }
        let run = try await TrainingRun(
            folder: out, datasets: datasets, resume: resume, force: common.force, memory: memory.map { $0 << 20 },
            configuration: { try resolve($0, datasets) })
        let total = run.trainer.configuration.images, before = run.trainer.state.imagesSeen
        console.say(
            "\(out): \(run.trainer.state.parameters.parameterCount) parameters, \(before) of \(total) images seen, "
                + "\(ComputeEnvironment.threads) threads")
        if !run.trainer.configuration.canaries.isEmpty {
            console.say("\(out): with canaries; the model never leaves this site")
        }
        let progress = ProgressReporter("train", unit: "images", isQuiet: common.quiet)
        let summary = try run.run(timeLimit: minutes.map { .seconds(60 * $0) }) { event in
            switch event {
            case .step(let step):
                progress.update(step.imagesSeen - before, of: total - before)
            case .validation(let seen, let loss, let isBest):
                progress.end()
                console.say("\(seen) images: validation loss \(loss.short)\(isBest ? ", the lowest so far" : "")")
            case .saved: break
            }
        }
        progress.end()
        if summary.isInterrupted {
            throw Failure(
                .interrupted, out, "stopped at \(summary.imagesSeen) images; everything is saved, go on with --resume")
        }
        let result = Result(
            images_seen: summary.imagesSeen, images_per_second: summary.imagesPerSecond, loss: summary.loss,
            validation_loss: summary.bestValidationLoss, best_images_seen: summary.bestImagesSeen,
            snapshot: summary.snapshot, peak_mib: MemoryFigures.peak >> 20,
            estimated_peak_mib: summary.estimatedPeakBytes >> 20)
        try console.finish(
            result,
            [
                "\(summary.imagesSeen) images seen at \(summary.imagesPerSecond.short) images/s, "
                    + """
                    loss \(summary.loss?.short ?? "none"), peak \(MemoryFigures.peak >> 20) MiB (expected \
                    \(summary.estimatedPeakBytes >> 20))
                    """,
                "snapshot: \(summary.snapshot)",
            ])
    }
}

extension Preset: ExpressibleByArgument {}

enum AdapterOption: String, CaseIterable, ExpressibleByArgument {
    case ffa, lora, full
}

enum MapsOption: String, CaseIterable, ExpressibleByArgument {
    case none, vessels

    var maps: [StructureMap] { self == .vessels ? [.vessels] : [] }
}

extension LatentSpace.Family: ExpressibleByArgument {}

extension Double {
    /// Four significant digits, for people.
    var short: String { String(format: "%.4g", self) }
}
