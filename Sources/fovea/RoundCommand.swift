import ArgumentParser
import CheckpointStore
import Consortium
import Federation
import Files
import Foundation

/// Rounds by files.
struct RoundCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "round",
        abstract: "A round in a shared folder or on a stick: what is asked for, who has delivered, and the merge.",
        discussion:
            """
            Example: fovea round init round-1 --base base.safetensors --trust TRUST.yaml --key coordinator.key \
            --deadline 2026-12-31
            """,
        subcommands: [RoundInitCommand.self, RoundStatusCommand.self, RoundCloseCommand.self])
}

private struct RoundInitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Begins a round: a folder with the signed base, the list of trust and what is asked for.",
        discussion: "Example: fovea round init round-1 --base base.safetensors --trust TRUST.yaml --key coordinator.key"
    )

    @Argument(help: ArgumentHelp("The round's folder.", valueName: "folder"))
    var folder: String

    @Option(help: ArgumentHelp("The snapshot to train on; it is signed where it is not.", valueName: "snapshot"))
    var base: String

    @Option(help: ArgumentHelp("Whose signatures count.", valueName: "trust.yaml"))
    var trust: String

    @Option(help: ArgumentHelp("The coordinator's private key.", valueName: "file"))
    var key: String

    @Option(help: ArgumentHelp("The round's number (default: the one after the base's last merge).", valueName: "n"))
    var round: Int?

    @Option(
        help: ArgumentHelp(
            "A site that is asked; may be given several times (default: all that the list names).", valueName: "name"))
    var site: [String] = []

    @Option(help: ArgumentHelp("The last day (default: none).", valueName: "2026-12-31"))
    var deadline: String?

    @OptionGroup var rule: MergeRuleOptions
    @OptionGroup var common: CommonOptions

    private struct Result: Encodable {
        let folder, base: String
        let round: Int
        let sites: [String]
        let deadline: String?
    }

    func run() async throws {
        common.apply()
        let begun = try Round.begin(
            folder, base: base, trust: trust, key: try SigningKey(contentsOf: key), round: round,
            sites: site.isEmpty ? nil : site, deadline: deadline,
            settings: rule.settings, at: Date())
        let asked = begun.request
        try common.console.finish(
            Result(
                folder: folder, base: asked.base.description, round: asked.round, sites: asked.sites,
                deadline: asked.deadline),
            [
                """
                \(folder): round \(asked.round) asks \
                \(asked.sites.joined(separator: ", "))\(asked.deadline.map { " until \($0)" } ?? "")
                """,
                "each site trains on \(begun.basePath) and puts its parcel into \(begun.parcelFolder)",
            ])
    }
}

private struct RoundStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Says who has delivered, whose parcel is refused and why, and who is late.",
        discussion: "Example: fovea round status round-1 --trust TRUST.yaml")

    @Argument(help: ArgumentHelp("The round's folder.", valueName: "folder"))
    var folder: String

    @Option(help: ArgumentHelp("Whose signatures count (default: the folder's own list).", valueName: "trust.yaml"))
    var trust: String?

    @OptionGroup var common: CommonOptions

    private struct Result: Encodable {
        let round: Int
        let closed: Bool
        let deadline: String?
        let deliveries: [Round.Delivery]
    }

    func run() async throws {
        common.apply()
        let round = try Round(folder, trust: trust),
            deliveries = try round.deliveries(at: Date(), ledger: try ParcelLedger(for: round.trust))
        try common.console.finish(
            Result(
                round: round.request.round, closed: round.isClosed, deadline: round.request.deadline,
                deliveries: deliveries),
            [
                """
                \(folder): round \(round.request.round), \
                \(round.isClosed ? "closed" : "open")\(round.request.deadline.map { ", until \($0)" } ?? "")
                """
            ]
                + deliveries.map {
                    """
                    \($0.site): \
                    \($0.state.rawValue)\($0.file.map { ", \($0)" } ?? "")\($0.reason.map { ": \($0)" } ?? "")
                    """
                })
    }
}

private struct RoundCloseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close",
        abstract: "Merges what was delivered; whoever closes second is told, and changes nothing.",
        discussion: "Example: fovea round close round-1 --trust TRUST.yaml --key coordinator.key")

    @Argument(help: ArgumentHelp("The round's folder.", valueName: "folder"))
    var folder: String

    @Option(help: ArgumentHelp("Whose signatures count (default: the folder's own list).", valueName: "trust.yaml"))
    var trust: String?

    @Option(help: ArgumentHelp("The coordinator's private key.", valueName: "file"))
    var key: String

    @Option(
        help: ArgumentHelp("What the base was merged on, where the round asks for momentum.", valueName: "snapshot"))
    var previous: String?

    @Flag(help: "Close though sites are missing.")
    var early = false

    @Flag(help: "Go on without parcels that are refused, and list them.")
    var excludeBad = false

    @Flag(help: "Stop where the screening names an outlier.")
    var strict = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        common.apply()
        let round = try Round(folder, trust: trust), ledger = try ParcelLedger(for: round.trust)
        var found: Screening?
        let (merge, digest, residual) = try round.close(
            key: try SigningKey(contentsOf: key), isEarly: early, excludesBad: excludeBad, previous: previous,
            ledger: ledger, at: Date()
        ) { screening in
            found = screening
            if strict { try screening.requireNone() }
        }
        try MergeReport(
            merge, screening: found, residual: residual, output: round.mergedPath, digest: digest, isSigned: true
        ).finish(common.console)
    }
}
