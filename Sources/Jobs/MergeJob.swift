import CheckpointStore
import Consortium
import Datasets
import Federation
import Files
import Foundation
import Models
import Training

/// Merges the parcels of sites into a new model.
///
/// A parcel that is unsigned, unknown, expired, replayed, of another base, not finite, of other shapes or forbidden
/// stops the merge, and nothing is written.
public struct MergeJob: Job {
    /// The parcels of one round. Their order does not matter.
    public var parcels: [String]
    /// The snapshot that the sites trained on, signed by the coordinator.
    public var base: String
    /// The list of those whose signatures count, signed by the coordinator.
    public var trust: String
    /// The coordinator's private key, which signs the result; nil leaves it unsigned.
    public var key: String?
    /// How the sites' weights are merged.
    public var settings = MergeRecord.Settings()
    /// The round to merge; nil takes the round after the base's last merge.
    public var round: Int?
    /// The base of the merge that made this base, which momentum needs.
    public var previous: String?
    /// Go on without parcels that are refused.
    public var excludesBad = false
    /// Stop where the screening names an outlier.
    public var isStrict = false
    /// The coordinator's own data set. Each update is tried on its validation split.
    public var canary: String?
    public var output: String
    /// Whether an output that exists may be replaced.
    public var replaces = false

    public init(_ parcels: [String], base: String, trust: String, to output: String) {
        self.parcels = parcels
        self.base = base
        self.trust = trust
        self.output = output
    }

    public func perform(_ report: JobReporter) async throws -> MergeOutcome {
        let list = try TrustList(contentsOf: trust), ledger = try ParcelLedger(for: list)
        let signing = try key.map { try SigningKey(contentsOf: $0) }
        try OutputPath.requireOther(output, than: parcels + [base])
        let transaction = try MergeTransaction(
            output, trust: list, key: signing, keyName: key ?? "key", ledger: ledger, replaces: replaces, at: Date())
        let merge = try ModelMerge(
            parcels, base: base, trust: list, settings: settings, round: round, at: Date(), ledger: ledger,
            excludesBad: excludesBad)
        let canaryLoss = try await canary.asyncMap { path in
            try await SiteValidation(merge.base, data: [try await DatasetFile.open(path)])
        }
        let screening = try merge.screening(canary: canaryLoss.map { canary in { canary.loss($0) } })
        let (digest, residual) = try transaction.commit(merge, previous: previous, screening: screening) {
            if isStrict { try $0.requireNone() }
        }
        return MergeOutcome(
            merge, screening: screening, residual: residual, output: output, digest: digest, isSigned: key != nil)
    }
}

/// The outcome of a merge.
public struct MergeOutcome: JobOutcome {
    /// A site and its share of the merge.
    public struct Site: Encodable, Sendable {
        public let name: String
        public let weight: Double
    }

    public let sites: [Site]
    /// The sites whose share is above their cap, because the caps sum to less than 1.
    public let capped: [String]
    /// The parcels that were left out, with the reasons.
    public let excluded: [MergeRecord.Excluded]
    let screening: Screening?
    /// The part of the difference that the rule `svd` left out, relative to the whole difference; nil for other rules.
    public let residual: Double?
    public let round: Int
    public let rule: MergeRecord.Rule
    public let output, digest: String
    public let permissions: Permissions?
    public let signed: Bool

    init(_ merge: ModelMerge, screening: Screening?, residual: Double?, output: String, digest: Digest, isSigned: Bool)
    {
        let parts = zip(merge.admission.admitted, merge.shares)
        sites = parts.map { Site(name: $0.parcel.statement.site, weight: $1) }
        capped =
            merge.settings.rule.countsHeads
            ? [] : parts.filter { $1 > $0.largestShare + 1e-9 }.map { $0.0.parcel.statement.site }
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

    public var lines: [String] {
        var lines = [
            """
            \(output): round \(round), \(sites.count) \(sites.count == 1 ? "site" : "sites") by \(rule.rawValue), \
            \(signed ? "signed" : "unsigned: sites will refuse it until fovea parcel sign")
            """
        ]
        lines += sites.map { "\($0.name): \((100 * $0.weight).short) %" }
        lines += capped.map { "\($0) is above its largest share: the caps of so few sites sum to less than 1" }
        lines += excluded.map { "left out: \($0.name): \($0.reason)" }
        if let residual { lines.append("svd leaves out \((100 * residual).short) % of the difference") }
        if screening?.state == Screening.tooFew {
            lines.append(
                """
                screening: \(Screening.tooFew) sites to say who is unlike the others (fewer than \
                \(Screening.fewestSites))
                """)
        } else {
            let outliers = screening?.outliers ?? []
            lines +=
                outliers.isEmpty
                ? ["screening: no outliers"]
                : outliers.map { "outlier: \($0.name): \($0.reasons.joined(separator: "; "))" }
        }
        return lines
    }
}
