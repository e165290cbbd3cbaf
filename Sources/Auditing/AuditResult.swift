import Files
import Foundation
import Verdicts

/// The result of an audit: its public part, and what never leaves the site.
package struct AuditResult: Sendable {
    package let figures: AuditFigures
    package let verdict: Verdict
    package let flagged: [FlaggedSample]
    /// The bytes of `private/flagged.json`.
    let flaggedJSON: String
    let sides: AuditRun.Sides
    let table: CopyTable
    let samples, train: AuditSource
    /// The digests of the photographs, which the signature turns into HMACs.
    let digests: PrivateDigests
    let membership: MembershipFindings?
}
