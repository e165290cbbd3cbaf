import ArgumentParser
import CheckpointStore
import Consortium
import Files
import Fovea

/// The commands for rounds that are exchanged as files.
struct RoundCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "round",
        abstract: "A round in a shared folder or on a stick: what is asked for, who has delivered, and the merge.",
        discussion: "Example: fovea round status round-1",
        subcommands: [RoundInitCommand.self, RoundStatusCommand.self, RoundCloseCommand.self])
}

private struct RoundInitCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Begins a round: a folder with the signed base, the list of trust and what is asked for.",
        discussion: "Example: fovea round init round-1 --base base.safetensors --trust TRUST.yaml --key coordinator.key"
    )

    @Argument(help: .value("folder", "The round's folder."), completion: .directory) var folder: String
    @Option(help: .value("snapshot", "The snapshot to train on; it is signed where it is not."), completion: .file())
    var base: String
    @Option(help: .value("trust.yaml", "Whose signatures count."), completion: .file()) var trust: String
    @Option(help: .value("file", "The coordinator's private key."), completion: .file()) var key: String
    @Option(help: .value("n", "The round's number (default: the one after the base's last merge).")) var round: Int?
    @Option(help: .value("name", "A site that is asked; may be repeated (default: all that the list names)."))
    var site: [String] = []
    @Option(help: .value("2026-12-31", "The last day (default: none).")) var deadline: String?
    @Option(help: "What the sites are asked to train: an adapter (ffa, lora), or all weights (full).")
    var adapter: AdapterOption?
    @Option(help: .value("n", "Training images that each site is asked to see.")) var images: Int?
    @Option(help: .value("DUO:0000042", "A purpose that the sites are asked to permit; may be repeated."))
    var purpose: [String] = []
    @Option(help: .value("train.yaml", "Settings of training for the sites, as for fovea train."), completion: .file())
    var config: String?
    @OptionGroup var rule: MergeRuleOptions
    @OptionGroup var common: CommonOptions

    func job() throws -> BeginRoundJob {
        var job = BeginRoundJob(folder, base: base, trust: trust, key: key)
        (job.round, job.sites, job.deadline, job.settings) = (round, site, deadline, rule.settings)
        job.training.adapter = adapter?.asked
        (job.training.images, job.config) = (images, config)
        job.training.purposes = purpose.isEmpty ? nil : Set(purpose).sorted()
        job.guide = { RoundGuide($0, $1).text }
        return job
    }
}

private struct RoundStatusCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Says who has delivered, whose parcel is refused and why, and who is late.",
        discussion: "Example: fovea round status round-1 --trust TRUST.yaml")

    @Argument(help: .value("folder", "The round's folder."), completion: .directory) var folder: String
    @Option(help: .value("trust.yaml", "Whose signatures count (default: the folder's own list)."), completion: .file())
    var trust: String?
    @OptionGroup var common: CommonOptions

    func job() throws -> RoundStatusJob {
        var job = RoundStatusJob(folder)
        job.trust = trust
        return job
    }
}

private struct RoundCloseCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "close",
        abstract: "Merges the delivered parcels; closing a round for a second time fails and changes nothing.",
        discussion: "Example: fovea round close round-1 --trust TRUST.yaml --key coordinator.key")

    @Argument(help: .value("folder", "The round's folder."), completion: .directory) var folder: String
    @Option(help: .value("trust.yaml", "Whose signatures count (default: the folder's own list)."), completion: .file())
    var trust: String?
    @Option(help: .value("file", "The coordinator's private key."), completion: .file()) var key: String
    @Option(
        help: .value("snapshot", "What the base was merged on, where the round asks for momentum."), completion: .file()
    )
    var previous: String?
    @Flag(help: "Close though sites are missing.") var early = false
    @Flag(help: "Go on without parcels that are refused, and list them.") var excludeBad = false
    @Flag(help: "Stop where the screening names an outlier.") var strict = false
    @OptionGroup var common: CommonOptions

    func job() throws -> CloseRoundJob {
        var job = CloseRoundJob(folder, key: key)
        (job.trust, job.previous) = (trust, previous)
        (job.isEarly, job.excludesBad, job.isStrict) = (early, excludeBad, strict)
        return job
    }
}

struct FederateStepCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "federate-step",
        abstract: "One site's step of a round, for a federation engine: weights in, weights and metrics out.",
        discussion: """
            DIR belongs to the site: its data sets (*.h5), and step.yaml with settings of training where the defaults \
            do not suit. Nothing that comes from the engine names a path. Stopped or killed, the same command goes on.

            Example: fovea federate-step --init in.safetensors --out out.safetensors --metrics m.json --data \
            /srv/fovea --round 1
            """)

    @Option(
        name: .customLong("init"), help: .value("in", "The snapshot that the round begins with."), completion: .file())
    var initial: String
    @Option(
        help: .value("out", "Weights to write: a snapshot of float32, or an adapter where --adapter says so."),
        completion: .file())
    var out: String
    @Option(help: .value("m.json", "Where the metrics go, as JSON."), completion: .file()) var metrics: String
    @Option(help: .value("dir", "The site's folder with its data sets."), completion: .directory) var data: String
    @Option(help: .value("n", "The round.")) var round: Int
    @Option(help: "Train an adapter (ffa, lora), or all weights (full).") var adapter = AdapterOption.full
    @Option(help: .value("n", "Training images to see in this step (default: what step.yaml says, or 2000)."))
    var images: Int?
    @Option(
        help: .value("trust.yaml", "Whose signatures count: a base that the coordinator did not sign is refused."),
        completion: .file())
    var trust: String?
    @Flag(help: "Go on with the optimizer's moments of the site's last step, kept in DIR: for many short rounds.")
    var keepMoments = false
    @OptionGroup var common: CommonOptions

    func job() throws -> FederateStepJob {
        var job = FederateStepJob(initial: initial, data: data, round: round, to: out, metrics: metrics)
        (job.adapter, job.images, job.trust) = (adapter.kind, images, trust)
        (job.keepsMoments, job.replaces) = (keepMoments, common.force)
        return job
    }
}

struct SimulateCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Runs a federation on one machine, and compares it with each site alone and with all data together.",
        discussion: """
            As many --data as --sites: each data set is a site. Otherwise their patients are dealt out to --sites \
            sites that are uneven and skewed. OUT holds parcels, merged models and, at the end, curves.svg, \
            simulation.md and simulation.json. Stopped or killed, the same command goes on.

            Example: fovea simulate --sites 4 --rounds 5 --data site.h5 --base base.safetensors --out sim
            """)

    @Option(help: .value("n", "Sites (default: one for each data set).")) var sites: Int?
    @Option(help: .value("n", "Rounds.")) var rounds = 3
    @Option(help: .value("site.h5", "A data set; may be given several times."), completion: .file()) var data: [String]
    @Option(help: .value("snapshot", "The snapshot to begin with."), completion: .file()) var base: String
    @Option(help: .value("n", "Training images of each site a round.")) var images = 500
    @Option(help: .value("attribute", "What the sites are skewed by.")) var skew = "dr_icdr"
    @Option(help: "Train an adapter (ffa, lora), or all weights (full).") var adapter = AdapterOption.full
    @OptionGroup var rule: MergeRuleOptions
    @Option(help: .value("n", "Noises a photograph for the last comparison.")) var draws = 64
    @Option(help: .value("n", "Measure losses after every so many rounds.")) var measureEvery = 1
    @Flag(help: "Leave out training at each site alone and in one place.") var onlyMerged = false
    @Option(help: .value("n", "Seed of how patients are dealt out, and of the training.")) var seed: UInt64 = 0
    @Option(help: .value("train.yaml", "Settings of training, as for fovea train."), completion: .file()) var config:
        String?
    @Option(help: .value("folder", "The simulation's folder."), completion: .directory) var out: String
    @OptionGroup var common: CommonOptions

    func job() throws -> SimulateJob {
        var job = SimulateJob(data: data, base: base, to: out)
        (job.sites, job.rounds, job.images, job.skew) = (sites, rounds, images, skew)
        (job.adapter, job.merge, job.draws) = (adapter.kind, rule.settings, draws)
        (job.measureEvery, job.onlyMerged, job.seed, job.config) = (measureEvery, onlyMerged, seed, config)
        return job
    }
}
