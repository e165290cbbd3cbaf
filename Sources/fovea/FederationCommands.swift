import ArgumentParser
import CheckpointStore
import Files
import Fovea

/// A round, named by its number or by its folder.
struct RoundOption: ExpressibleByArgument {
    let number: Int?
    let folder: String?

    init?(argument: String) {
        number = Int(argument)
        folder = number == nil ? argument : nil
    }
}

/// The commands for keys.
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Keys that sign: makes a pair, and says whose key a file holds.",
        discussion: "Example: fovea key show aachen.key.pub",
        subcommands: [KeyMakeCommand.self, KeyShowCommand.self])
}

private struct KeyMakeCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "make", abstract: "Makes a key pair; the private key is readable by its owner alone.",
        discussion: "Example: fovea key make --out aachen.key")

    @Option(help: .value("file", "The private key to write; the public one goes to FILE.pub."), completion: .file())
    var out: String
    @OptionGroup var common: CommonOptions

    func job() throws -> MakeKeyJob { MakeKeyJob(to: out) }
}

private struct KeyShowCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Says whether a key is private or public, its fingerprint, and who can read the file.",
        discussion: """
            A fingerprint is compared by telephone. Nothing of a private key but its fingerprint is shown.

            Example: fovea key show aachen.key.pub
            """)

    @Argument(help: .value("key", "A private or a public key."), completion: .file()) var file: String
    @OptionGroup var common: CommonOptions

    func job() throws -> ShowKeyJob { ShowKeyJob(file) }
}

/// The commands for signed weights that leave a site.
struct ParcelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parcel",
        abstract: "Weights that a site shares: its keys, one signed file to hand over, and whose signatures count.",
        discussion: "Example: fovea parcel keygen --out aachen.key",
        subcommands: [KeygenCommand.self, SealCommand.self, OpenCommand.self, TrustCommand.self, SignCommand.self])
}

private struct KeygenCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen", abstract: "Makes a site's key pair; the private key is readable by its owner alone.",
        discussion: "Example: fovea parcel keygen --out aachen.key")

    @Option(help: .value("file", "The private key to write; the public one goes to FILE.pub."), completion: .file())
    var out: String
    @OptionGroup var common: CommonOptions

    func job() throws -> MakeKeyJob { MakeKeyJob(to: out) }
}

private struct SealCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal",
        abstract: "Puts weights, what they came from and what may be done with them into one signed file.",
        discussion: """
            Example: fovea parcel seal run/best.adapter.safetensors --key aachen.key --site aachen --round 1 \
            --purpose DUO:0000042 --out aachen-1.parcel
            """)

    @Argument(help: .value("weights", "An adapter or a snapshot of a training."), completion: .file()) var weights:
        String
    @Option(help: .value("file", "The site's private key."), completion: .file()) var key: String
    @Option(help: .value("name", "The site's name, as in the training.")) var site: String
    @Option(help: .value("n|folder", "The round that it is for: its number, or its folder, which is then asked, too."))
    var round: RoundOption
    @Option(
        help: .value(
            "DUO:0000042",
            """
            A purpose that is permitted; repeatable, and needed at least once. A code of the Data Use Ontology: \
            \(DataUse.list).
            """))
    var purpose: [String] = []
    @Option(help: .value("2027-12-31", "The last day of the permissions (default: no end).")) var expires: String?
    @Option(help: .value("DE", "A country; may be given several times (default: worldwide).")) var territory: [String] =
        []
    @Flag(help: "Weights and samples may be handed on.") var redistribution = false
    @Flag(help: "One may sample from this site alone.") var singleSite = false
    @Option(
        help: .value("folder", "The folder of a passing audit of these weights, which fovea audit --model makes."),
        completion: .directory)
    var audit: String?
    @Option(
        help: .value("trust.yaml", "A list of trust: what it refuses is not sealed (default: the round's own list)."),
        completion: .file())
    var trust: String?
    @Option(
        help: .value("parcel", "The site's earlier parcel for this round, which this one replaces."),
        completion: .file())
    var replaces: String?
    @Option(help: .value("reason", "Why it goes without an audit for memorised patients.")) var unaudited: String?
    @Option(help: .value("text", "Whom to ask.")) var contact = "unspecified"
    @Option(help: .value("file", "The parcel to write."), completion: .file()) var out: String
    @OptionGroup var common: CommonOptions

    func job() throws -> SealJob {
        var job = SealJob(weights, key: key, site: site, round: round.number, to: out)
        (job.roundFolder, job.earlier) = (round.folder, replaces)
        (job.purposes, job.expires, job.territories) = (Set(purpose), expires, Set(territory))
        (job.redistribution, job.singleSite, job.contact) = (redistribution, singleSite, contact)
        (job.audit, job.trust, job.unaudited, job.replaces) = (audit, trust, unaudited, common.force)
        return job
    }
}

private struct OpenCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Checks a parcel's signature, says what is in it, and unpacks its weights.",
        discussion: "Example: fovea parcel open aachen-1.parcel --trust TRUST.yaml --out aachen.adapter.safetensors")

    @Argument(help: .value("file", "A parcel."), completion: .file()) var file: String
    @Option(help: .value("trust.yaml", "Whose signatures count."), completion: .file()) var trust: String?
    @Option(
        help: .value("weights", "Where the weights go, without the signature (default: they stay where they are)."),
        completion: .file())
    var out: String?
    @OptionGroup var common: CommonOptions

    func job() throws -> OpenParcelJob {
        var job = OpenParcelJob(file)
        (job.trust, job.output, job.replaces) = (trust, out, common.force)
        return job
    }
}

private struct SignCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Signs a base or a merged model as the coordinator, before sites train on it.",
        discussion: "Example: fovea parcel sign best.safetensors --key coordinator.key --out base.safetensors")

    @Argument(help: .value("weights", "A snapshot."), completion: .file()) var weights: String
    @Option(help: .value("file", "The coordinator's private key."), completion: .file()) var key: String
    @Option(help: .value("file", "The signed snapshot to write."), completion: .file()) var out: String
    @OptionGroup var common: CommonOptions

    func job() throws -> SignBaseJob {
        var job = SignBaseJob(weights, key: key, to: out)
        job.replaces = common.force
        return job
    }
}

private struct TrustCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "Signs a list of whom to trust, as its coordinator; checks it without --key.",
        discussion: "Example: fovea parcel trust TRUST.yaml --key coordinator.key")

    @Argument(help: .value("trust.yaml", "The list."), completion: .file()) var file: String
    @Option(help: .value("file", "The coordinator's private key."), completion: .file()) var key: String?
    @OptionGroup var common: CommonOptions

    func job() throws -> TrustListJob {
        var job = TrustListJob(file)
        job.key = key
        return job
    }
}

struct MergeCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Merges the parcels of sites into a new model.",
        discussion: """
            A parcel that is unsigned, unknown, expired, replayed, of another base, not finite, of other shapes or \
            forbidden stops the merge, and nothing is written; with --exclude-bad the merge goes on without it. \
            Outliers are named. The order of the parcels changes nothing.

            Example: fovea merge parcels/*.parcel --base base.safetensors --trust TRUST.yaml --key coordinator.key \
            --out merged.safetensors
            """)

    @Argument(help: .value("parcel", "Parcels of one round."), completion: .file()) var parcels: [String]
    @Option(
        help: .value("snapshot", "The snapshot that the sites trained on, signed by the coordinator."),
        completion: .file())
    var base: String
    @Option(help: .value("trust.yaml", "Whose signatures count, signed by the coordinator."), completion: .file())
    var trust: String
    @Option(help: .value("file", "The coordinator's private key, which signs the result."), completion: .file())
    var key: String?
    @OptionGroup var rule: MergeRuleOptions
    @Option(help: .value("n", "The round (default: the one after the base's last merge).")) var round: Int?
    @Option(help: .value("snapshot", "What the base was merged on, for --momentum."), completion: .file()) var previous:
        String?
    @Flag(help: "Go on without parcels that are refused, and list them.") var excludeBad = false
    @Flag(help: "Stop where the screening names an outlier.") var strict = false
    @Option(
        help: .value("data.h5", "The coordinator's own data, on whose validation split each update is tried."),
        completion: .file())
    var canary: String?
    @Option(help: .value("merged", "The merged snapshot to write."), completion: .file()) var out: String
    @OptionGroup var common: CommonOptions

    func job() throws -> MergeJob {
        var job = MergeJob(parcels, base: base, trust: trust, to: out)
        (job.key, job.settings, job.round, job.previous) = (key, rule.settings, round, previous)
        (job.excludesBad, job.isStrict, job.canary, job.replaces) = (excludeBad, strict, canary, common.force)
        return job
    }
}

/// The options that say how the sites' weights are merged.
struct MergeRuleOptions: ParsableArguments {
    @Option(help: "mean, stack (adapters, exact for lora), svd (the same, cut to their rank), median or trimmed-mean.")
    var rule: MergeRecord.Rule = .mean
    @Option(help: "What a site's share follows: patients, images or equal.")
    var weight: MergeRecord.Weighting = .patients
    @Option(help: .value("share", "Share of the sites that trimmed-mean drops at each end.")) var trim = 0.2
    @Option(help: .value("factor", "Cut updates to so many times the median of their norms (default: not at all)."))
    var clip: Double?
    @Option(help: .value("share", "Take so much of the base's own last step again; --previous says where it began."))
    var momentum = 0.0
    @Flag(help: "Full weights: average each row of the table of cohorts over the sites that have such patients.")
    var cohortRows = false

    var settings: MergeRecord.Settings {
        var settings = MergeRecord.Settings()
        (settings.rule, settings.weighting, settings.trim) = (rule, weight, trim)
        (settings.clip, settings.momentum, settings.cohortRows) = (clip, momentum, cohortRows)
        return settings
    }
}

extension MergeRecord.Rule: ExpressibleByArgument {}
extension MergeRecord.Weighting: ExpressibleByArgument {}
