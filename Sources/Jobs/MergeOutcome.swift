import CheckpointStore
import Consortium
import Federation
import Files
import Foundation

/// The outcome of a merge.
public struct MergeOutcome: JobOutcome {
    /// A site and its share of the merge.
    public struct Site: Encodable, Sendable {
        public let name: String
        public let weight: Double
        /// The share that the site would have without caps.
        public let uncapped: Double
    }

    /// A parcel that does not count: a copy of another, or one that its site replaced.
    public struct Ignored: Encodable, Sendable {
        public let file: String
        public let reason: String
    }

    public let sites: [Site]
    /// The sites whose share is above their cap, because the caps sum to less than 1.
    public let capped: [String]
    /// The parcels that were left out, with the reasons.
    public let excluded: [MergeRecord.Excluded]
    public let ignored: [Ignored]
    /// How many of the parcels were merged before, in another merge of the same round.
    public let takenBefore: Int
    let screening: Screening?
    /// The part of the difference that the rule `svd` left out, relative to the whole difference; nil for other rules.
    public let residual: Double?
    public let round: Int
    public let rule: MergeRecord.Rule
    public let output, digest: String
    public let permissions: Permissions?
    public let signed: Bool
    /// The largest share of each site, in the order of `sites`.
    private let caps: [Double]
    private let weighting: MergeRecord.Weighting
    /// The names of the files that were left out, in the order of `excluded`.
    private let excludedFiles: [String]

    private enum CodingKeys: String, CodingKey {
        case sites, capped, excluded, ignored, screening, residual, round, rule, output, digest, permissions, signed
        case takenBefore = "taken_before"
    }

    init(
        _ merge: ModelMerge, screening: Screening?, residual: Double?, output: String, digest: Digest, isSigned: Bool,
        takenBefore: Int = 0
    ) throws {
        let parts = zip(merge.admission.admitted, merge.shares)
        sites = zip(parts, try merge.admission.uncappedShares(merge.settings)).map {
            Site(name: $0.0.parcel.statement.site, weight: $0.1, uncapped: $1)
        }
        caps = merge.settings.rule.countsHeads ? sites.map { _ in 1 } : parts.map(\.0.largestShare)
        weighting = merge.settings.rule.countsHeads ? .equal : merge.settings.weighting
        func name(_ path: String) -> String { URL(fileURLWithPath: path).lastPathComponent }
        ignored = merge.admission.ignored.map { Ignored(file: name($0.path), reason: $0.reason) }
        excludedFiles = merge.admission.refused.map { name($0.path) }
        self.takenBefore = takenBefore
        capped =
            merge.settings.rule.countsHeads
            ? [] : parts.filter { $1 > $0.largestShare + 1e-9 }.map { $0.0.parcel.statement.site }
        excluded = merge.admission.refused.map {
            MergeRecord.Excluded(name: $0.site ?? name($0.path), reason: $0.failure.sentence)
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

    /// A merge of one site is no merge: its weights are that site's.
    public var warnings: [String] {
        guard sites.count == 1, let site = sites.first else { return [] }
        return ["\(output): holds the weights of \(site.name) alone; whoever samples from it samples from that site"]
    }

    public var lines: [String] {
        var lines = [
            """
            \(output): round \(round), \(sites.count) \(sites.count == 1 ? "site" : "sites") by \(rule.rawValue), \
            \(signed ? "signed" : "unsigned: sites will refuse it until fovea parcel sign")
            """
        ]
        lines += zip(sites, caps).map(share)
        lines += capped.map { "\($0) is above its largest share: the caps of so few sites sum to less than 1" }
        lines += zip(excluded, excludedFiles).map {
            $0.name == $1 ? "left out: \($1): \($0.reason)" : "left out: \($0.name), \($1): \($0.reason)"
        }
        lines += ignored.map { "does not count: \($0.file): \($0.reason)" }
        if takenBefore > 0 {
            lines.append(
                """
                \(takenBefore) of \(sites.count) parcels were merged before: this is another merge of the same round, \
                and it does not replace the first
                """)
        }
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

    /// A site's share, with what it would be without caps where that is another.
    private func share(_ site: Site, _ cap: Double) -> String {
        let percent = "\(site.name): \((100 * site.weight).short) %"
        let natural = "by \(weighting.rawValue) it would have \((100 * site.uncapped).short) %"
        if abs(site.weight - site.uncapped) < 1e-9 {
            return weighting == .equal
                ? "\(percent), as each site counts the same" : "\(percent), by \(weighting.rawValue)"
        }
        if abs(site.weight - cap) < 1e-9 {
            return "\(percent), which is its largest share in the list of trust; \(natural)"
        }
        return "\(percent), because caps of the list of trust apply; \(natural)"
    }
}
