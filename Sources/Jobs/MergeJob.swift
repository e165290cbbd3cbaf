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
    /// Parcels of one round; their order changes nothing.
    public var parcels: [String]
    /// The snapshot that the sites trained on, signed by the coordinator.
    public var base: String
    /// Whose signatures count, signed by the coordinator.
    public var trust: String
    /// The coordinator's private key, which signs the result; nil leaves it unsigned.
    public var key: String?
    /// How the sites' numbers become one.
    public var settings = MergeRecord.Settings()
    /// nil takes the one after the base's last merge.
    public var round: Int?
    /// What the base was merged on, for momentum.
    public var previous: String?
    /// Go on without parcels that are refused.
    public var excludesBad = false
    /// Stop where the screening names an outlier.
    public var isStrict = false
    /// A data set of the coordinator's own, on whose validation split each update is tried.
    public var canary: String?
    public var output: String
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

/// What came of a merge.
public struct MergeOutcome: JobOutcome {
    public struct Site: Encodable, Sendable {
        public let name: String
        public let weight: Double
    }

    public let sites: [Site]
    /// Sites whose share is above their cap, because the caps together allow less than all.
    public let capped: [String]
    public let excluded: [MergeRecord.Excluded]
    let screening: Screening?
    /// What the rule `svd` left out of the difference, relative to it.
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
        lines += capped.map { "\($0) is above its largest share: with the caps of so few sites there is no other way" }
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
