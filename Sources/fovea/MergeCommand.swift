import ArgumentParser
import CheckpointStore
import Consortium
import Datasets
import Federation
import Files
import Foundation
import Models
import Training

struct MergeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Merges the parcels of sites into a new model.",
        discussion: """
            A parcel that is unsigned, unknown, expired, replayed, of another base, not finite, of other shapes or \
            forbidden stops the merge, \
            and nothing is written; with --exclude-bad the merge goes on without it. Outliers are named. The order of \
            the parcels changes nothing.

            Example: fovea merge parcels/*.parcel --base base.safetensors --trust TRUST.yaml --key coordinator.key \
            --out merged.safetensors
            """)

    @Argument(help: ArgumentHelp("Parcels of one round.", valueName: "parcel"))
    var parcels: [String]

    @Option(
        help: ArgumentHelp("The snapshot that the sites trained on, signed by the coordinator.", valueName: "snapshot"))
    var base: String

    @OptionGroup var trust: MergeTrustOptions
    @OptionGroup var rule: MergeRuleOptions

    @Option(help: ArgumentHelp("The round (default: the one after the base's last merge).", valueName: "n"))
    var round: Int?

    @Option(help: ArgumentHelp("What the base was merged on, for --momentum.", valueName: "snapshot"))
    var previous: String?

    @Flag(help: "Go on without parcels that are refused, and list them.")
    var excludeBad = false

    @Flag(help: "Stop where the screening names an outlier.")
    var strict = false

    @Option(
        help: ArgumentHelp(
            "A data set of the coordinator's own, on whose validation split each update is tried.", valueName: "data.h5"
        ))
    var canary: String?

    @Option(help: ArgumentHelp("The merged snapshot to write.", valueName: "merged"))
    var out: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        common.apply()
        let list = try TrustList(contentsOf: trust.trust), ledger = try ParcelLedger(for: list),
            key = try trust.signingKey()
        try OutputPath.requireOther(out, than: parcels + [base])
        let transaction = try MergeTransaction(
            out, trust: list, key: key, keyName: trust.key ?? "--key", ledger: ledger, replaces: common.force,
            at: Date())
        let merge = try ModelMerge(
            parcels, base: base, trust: list, settings: rule.settings, round: round, at: Date(), ledger: ledger,
            excludesBad: excludeBad)
        let canaryLoss = try await canary.asyncMap { path in
            try FileProbe.check(path)
            return try await SiteValidation(merge.base, data: [try await DatasetFile.open(path)])
        }
        let screening = try merge.screening(canary: canaryLoss.map { canary in { canary.loss($0) } })
        let (digest, residual) = try transaction.commit(merge, previous: previous, screening: screening) {
            if strict { try $0.requireNone() }
        }
        try MergeReport(
            merge, screening: screening, residual: residual, output: out, digest: digest, isSigned: key != nil
        ).finish(common.console)
    }
}

/// What a merge says when it is done.
struct MergeReport: Encodable {
    private struct Site: Encodable {
        let name: String
        let weight: Double
    }

    private let sites: [Site]
    /// Sites whose share is above their cap, because the caps together allow less than all.
    private let capped: [String]
    private let excluded: [MergeRecord.Excluded]
    private let screening: Screening?
    private let residual: Double?
    private let round: Int
    private let rule: MergeRecord.Rule
    private let output, digest: String
    private let permissions: Permissions?
    private let signed: Bool

    init(_ merge: ModelMerge, screening: Screening?, residual: Double?, output: String, digest: Digest, isSigned: Bool)
    {
        sites = zip(merge.admission.admitted, merge.shares).map { Site(name: $0.parcel.statement.site, weight: $1) }
        capped =
            merge.settings.rule.countsHeads
            ? []
            : zip(merge.admission.admitted, merge.shares).filter { $1 > $0.largestShare + 1e-9 }.map {
                $0.0.parcel.statement.site
            }
        excluded = merge.admission.refused.map {
            MergeRecord.Excluded(name: $0.site ?? $0.path, reason: $0.failure.description)
        }
        self.screening = screening
        self.residual = residual
        round = merge.admission.round
        rule = merge.settings.rule
        self.output = output
        self.digest = digest.description
        permissions = merge.permissions
        signed = isSigned
    }

    func finish(_ console: Console) throws {
        let outliers = (screening?.outliers ?? []).map { "outlier: \($0.name): \($0.reasons.joined(separator: "; "))" }
        var lines = [
            """
            \(output): round \(round), \(sites.count) \(sites.count == 1 ? "site" : "sites") by \(rule.rawValue), \
            \(signed ? "signed" : "unsigned: sites will refuse it until fovea parcel sign")
            """
        ]
        lines += sites.map { "\($0.name): \((100 * $0.weight).short) %" }
        lines += capped.map { "\($0) is above its largest share: with the caps of so few sites there is no other way" }
        lines += excluded.map { "left out: \($0.name): \($0.reason)" }
        if let residual { lines.append("svd leaves out \((100 * residual).short) % of the difference") }
        if screening?.state == Screening.tooFew {
            lines.append(
                """
                screening: \(Screening.tooFew) sites to say who is unlike the others (fewer than \
                \(Screening.fewestSites))
                """
            )
        } else {
            lines += outliers.isEmpty ? ["screening: no outliers"] : outliers
        }
        try console.finish(self, lines)
    }
}

/// Whose signatures count, and who signs.
struct MergeTrustOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Whose signatures count, signed by the coordinator.", valueName: "trust.yaml"))
    var trust: String

    @Option(help: ArgumentHelp("The coordinator's private key, which signs the result.", valueName: "file"))
    var key: String?

    func signingKey() throws -> SigningKey? { try key.map { try SigningKey(contentsOf: $0) } }
}

/// How the sites' numbers become one.
struct MergeRuleOptions: ParsableArguments {
    @Option(
        help:
            """
            mean, stack (adapters, exact where both factors were trained), svd (the same, cut to their rank), median \
            or trimmed-mean (default: mean).
            """
    )
    var rule: MergeRecord.Rule = .mean

    @Option(help: "What a site's share follows: patients, images or equal (default: patients).")
    var weight: MergeRecord.Weighting = .patients

    @Option(
        help: ArgumentHelp("Share of the sites that trimmed-mean drops at each end (default: 0.2).", valueName: "share")
    )
    var trim: Double = 0.2

    @Option(
        help: ArgumentHelp(
            "Cut updates to so many times the median of their norms (default: not at all).", valueName: "factor"))
    var clip: Double?

    @Option(
        help: ArgumentHelp(
            "Take so much of the base's own last step again; --previous says where it began.", valueName: "share"))
    var momentum: Double = 0

    @Flag(
        help:
            """
            Full weights: average each row of the table of cohorts over the sites that have such patients, instead of \
            over all.
            """
    )
    var cohortRows = false

    var settings: MergeRecord.Settings {
        var settings = MergeRecord.Settings()
        (settings.rule, settings.weighting, settings.trim, settings.clip, settings.momentum) = (
            rule, weight, trim, clip, momentum
        )
        settings.cohortRows = cohortRows
        return settings
    }
}

extension MergeRecord.Rule: ExpressibleByArgument {}
extension MergeRecord.Weighting: ExpressibleByArgument {}

/// An output that is an input would be lost for a later withdrawal.
enum OutputPath {
    /// - Throws: `Failure(.usage)`.
    static func requireOther(_ output: String, than inputs: [String]) throws {
        func real(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        guard let same = inputs.first(where: { real($0) == real(output) }) else { return }
        throw Failure(.usage, output, "is an input, \(same); name another output")
    }
}

extension Optional {
    /// `map` with an asynchronous body.
    func asyncMap<Result>(_ body: (Wrapped) async throws -> Result) async rethrows -> Result? {
        guard let self else { return nil }
        return try await body(self)
    }
}
