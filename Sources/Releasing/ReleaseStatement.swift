import CheckpointStore
import Files
import Foundation
import SampleStore
import Verdicts

/// What a released set says about itself. The statement is signed.
package struct ReleaseStatement: Codable, Hashable, Sendable {
    static let kind = "fovea.release", domain = "fovea-release-1"

    package var kind = ReleaseStatement.kind
    package var version = 1
    /// The digest of everything in the set but this statement, the audit and the moments.
    package var content: Digest
    /// The content digest of the audited set from which the released set was made.
    package var source: Digest
    /// SHA-256 of `audit.json`.
    package var audit: Digest
    /// SHA-256 of `evaluation.json`; nil where the release carries none.
    package var evaluation: Digest?
    /// The day of the release, such as `2026-01-31`.
    package var date: String
    /// The public key of whoever released it.
    package var key: String
    /// Whether the samples can be made again from their seeds. They cannot where the seeds would lead to samples that
    /// were left out.
    package var isReplayable: Bool

    /// The digest of a set's content without what a release adds.
    /// - Throws: the failures of `SampleSetFile.contentDigest`.
    package static func contentDigest(_ path: String) async throws -> Digest {
        try await SampleSetFile.contentDigest(path, besides: ["/audit", "releasable"])
    }
}

/// Checks the chain of a released set: its statement, its audit, both signatures and its content.
package enum ReleaseChain {
    package struct Signers: Sendable {
        package let releaser, officer: PublicKey
    }

    /// What is wrong with the chain of a released set, and who signed it. The signers are nil where the set is not
    /// released or they cannot be read.
    /// - Throws: the failures of `SampleSetFile.open`.
    package static func check(_ path: String) async throws -> (findings: [Finding], signers: Signers?) {
        let file = try await SampleSetFile.open(path, verifying: false)
        guard let record = file.release else { return ([], nil) }
        var findings: [Finding] = []
        do {
            let statement = try JSONText.decode(
                ReleaseStatement.self, Data(record.statement.utf8), place: "\(path) /audit/release")
            let releaser = try PublicKey(statement.key, field: "key", place: "/audit/release")
            if !signs(releaser, record.signature, record.statement, ReleaseStatement.domain) {
                findings.append(Finding("/audit/release_signature", "is not by the key that the statement names"))
            }
            if record.evaluation.map({ Digest(of: Array($0.utf8)) }) != statement.evaluation {
                findings.append(Finding("/audit/evaluation", "is not the evaluation that the statement names"))
            }
            let audit = try PublicAudit.decode(Data(record.verdict.utf8), place: "/audit/verdict")
            guard let text = audit.officer else {
                return (findings + [Finding("/audit/verdict", "is not signed by a privacy officer")], nil)
            }
            let officer = try PublicKey(text, field: "officer", place: "/audit/verdict")
            if !signs(officer, record.verdictSignature, record.verdict, PublicAudit.domain) {
                findings.append(Finding("/audit/verdict_signature", "is not the privacy officer's"))
            }
            if statement.audit != Digest(of: Array(record.verdict.utf8)) {
                findings.append(Finding("/audit/release", "names another audit"))
            }
            if audit.verdict.outcome != .pass {
                findings.append(
                    Finding("/audit/verdict", "is \(audit.verdict.outcome.rawValue), and only a pass may be released"))
            }
            if statement.source != audit.figures.samples.digest {
                findings.append(Finding("/audit/release", "was made from another set than was audited"))
            }
            if audit.figures.samples.count < file.count {
                findings.append(Finding("/images", "holds more samples than were audited"))
            }
            if try await ReleaseStatement.contentDigest(path) != statement.content {
                findings.append(Finding("content", "is not what was signed for release"))
            }
            return (findings, Signers(releaser: releaser, officer: officer))
        } catch let failure as Failure {
            return (findings + [Finding("/audit", failure.description)], nil)
        }
    }

    /// Checks that a set's samples can be made again.
    /// - Throws: `Failure(.badData)` where the set was released without its seeds.
    package static func requireReplayable(_ file: SampleSetFile) throws {
        guard let record = file.release else { return }
        let statement = try JSONText.decode(
            ReleaseStatement.self, Data(record.statement.utf8), place: "\(file.path) /audit/release")
        guard statement.isReplayable else {
            throw Failure(
                .badData, file.path,
                """
                was released without its seeds, because they led to samples that were left out; nobody can make its \
                samples again
                """
            )
        }
    }

    private static func signs(_ key: PublicKey, _ signature: String, _ text: String, _ domain: String) -> Bool {
        guard let bytes = Data(base64Encoded: signature.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            return false
        }
        return key.verifies(bytes, of: DetachedSignature.message(domain, Data(text.utf8)))
    }
}
