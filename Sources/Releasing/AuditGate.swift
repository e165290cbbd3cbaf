import CheckpointStore
import SampleStore
import Files
import Foundation
import Verdicts

/// An audit that may allow a release: a privacy officer signed it, nobody edited it, and it is not stale.
package struct AuditGate: Sendable {
    package let audit: PublicAudit
    let bytes, signature: Data
    private let path: String
    /// SHA-256 of `audit.json`.
    package var digest: Digest { Digest(of: Array(bytes)) }

    /// Reads an audit and checks it.
    /// - Throws: `Failure(.noSuchInput)`; `Failure(.badData)`; `Failure(.notPermitted)` where the audit is unsigned,
    ///   was edited, was signed by somebody who is not a privacy officer, comes from another version of the tests, or
    ///   is too old.
    package init(_ folder: String, requireOfficer: (PublicKey) throws -> Void, now: Date = Date()) throws {
        path = folder
        let signed = try AuditFolder(folder).signedAudit()
        audit = signed.audit
        (bytes, signature) = (signed.bytes, signed.signature)
        try requireOfficer(signed.officer)
        guard signed.coversPage else {
            throw Failure(
                .notPermitted, folder,
                """
                was made by fovea \(audit.tool.printable), whose signature does not cover the page and whose tests \
                were others; audit again
                """)
        }
        guard let made = Day.noon(audit.date) else {
            throw Failure(.badData, folder, field: "date", expected: "a day", found: audit.date)
        }
        let days = Int((now.timeIntervalSince(made) / 86_400).rounded(.down))
        guard days <= audit.figures.policy.validForDays else {
            throw Failure(
                .notPermitted, folder,
                """
                is stale: it was made on \(audit.date), \(days) days ago, and an audit counts for \
                \(audit.figures.policy.validForDays) days; audit again
                """
            )
        }
        guard days >= -1 else { throw Failure(.notPermitted, folder, "is dated \(audit.date), which is in the future") }
        guard audit.tool == ToolVersion.current else {
            throw Failure(
                .notPermitted, folder,
                """
                is stale: it was made by fovea \(audit.tool.printable), and this is \(ToolVersion.current); audit again
                """
            )
        }
    }

    /// - Throws: `Failure(.notPermitted)` unless the verdict is a pass.
    package func requirePass() throws {
        guard audit.verdict.outcome == .pass else {
            throw Failure(
                .notPermitted, path,
                "the audit's verdict is \(audit.verdict.outcome.rawValue): \(audit.verdict.reasons.first ?? "")")
        }
    }

    /// Checks that the audit allows a model to leave the site: it must have tested enough samples drawn from that
    /// model, and membership.
    /// - Parameter model: SHA-256 of the snapshot's file.
    /// - Throws: `Failure(.notPermitted)` with the reason.
    package func requireModel(_ model: Digest) throws {
        let figures = audit.figures
        guard figures.model == model else {
            throw Failure(
                .notPermitted, path, field: "model", expected: "an audit of \(model)",
                found: figures.model.map { "one of \($0)" } ?? "one without the model")
        }
        guard figures.samples.models == [model] else {
            throw Failure(
                .notPermitted, path, field: "samples", expected: "samples of the model itself",
                found: "samples of \(figures.samples.models.isEmpty ? "unknown origin" : "another model")")
        }
        guard figures.samples.count >= figures.policy.modelSamples else {
            throw Failure(
                .notPermitted, path, field: "samples", expected: "at least \(figures.policy.modelSamples)",
                found: "\(figures.samples.count)")
        }
        guard figures.membership != nil else {
            throw Failure(.notPermitted, path, "did not ask the model who was in its training", remedy: .auditModel)
        }
        guard figures.training.inLineage != .no else {
            throw Failure(.notPermitted, path, "audited the model against photographs that it did not learn from")
        }
        try requirePass()
    }
}
