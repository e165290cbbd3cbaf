import Files
import Foundation

/// What an audit came to: the public part, and what never leaves the site.
package struct AuditResult: Sendable {
    package let figures: AuditFigures
    package let verdict: Verdict
    package let flagged: [FlaggedSample]
    /// The bytes of `private/flagged.json`.
    let flaggedJSON: String
    let sides: AuditRun.Sides
    let table: CopyTable
    let samples, train: AuditSource
    let membership: MembershipFindings?
}

/// `private/flagged.json`: which samples a release drops. The scores of all samples stand in it, so that its digest,
/// which is public, says nothing about a few of them.
package struct FlaggedList: Codable, Sendable {
    package var samples: Digest
    package var flagged: [FlaggedSample]
    /// By test, one a sample.
    package var scores: [String: [Double]]

    init(samples: Digest, table: CopyTable, flagged: [FlaggedSample]) {
        self.samples = samples
        self.flagged = flagged
        scores = Dictionary(
            uniqueKeysWithValues: table.columns.map {
                ($0.name.rawValue, $0.scores.scores.map { $0.isFinite ? $0 : -1e9 })
            })
    }

    /// Rows to drop, each once.
    package var rows: [Int] { Array(Set(flagged.map(\.index))).sorted() }
}
