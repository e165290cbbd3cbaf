import CheckpointStore
import Federation
import SampleStore
import Files
import Foundation
import Verdicts

/// Signs an audit after a privacy officer has read it. The signature covers every file of the audit's public folder,
/// the page included.
///
/// First call `review()` and show it to the officer. Then set `reviewed` to its digest and run the job, which signs
/// exactly what was read.
public struct SignAuditJob: Job {
    /// The folder of the audit.
    public var audit: String
    /// The privacy officer's private key.
    public var key: String
    /// A list of trust in which the key must stand as that of a privacy officer; nil asks no list.
    public var trust: String?
    /// The digest of the review that the officer read.
    public var reviewed: Digest?
    /// Whether the signature of an audit that is signed already may be replaced.
    public var replaces = false

    public init(_ audit: String, key: String) {
        self.audit = audit
        self.key = key
    }

    /// What the officer reads before signing.
    public struct Review: Sendable {
        /// The digest of everything that was read.
        public let digest: Digest
        /// `pass`, `fail` or `no-power`.
        public let verdict: String
        /// The verdict, the set, the limits and what was not tested, one sentence on each line.
        public let lines: [String]
        /// The fingerprint of the key that would sign.
        public let signer: String
    }

    public struct Outcome: JobOutcome {
        /// The folder of the audit.
        public let audit: String
        /// `pass`, `fail` or `no-power`.
        public let verdict: String
        /// The fingerprint of the key that signed.
        public let signer: String
        /// The day of the signature.
        public let date: String

        public var lines: [String] {
            [
                "\(audit): signed on \(date) by \(signer); the verdict is \(verdict)",
                "\(audit)/public holds what may leave the site; the signature covers every file in it",
            ]
        }
    }

    /// Reads the audit for signing, and checks that it is whole.
    /// - Throws: `Failure(.notPermitted)` where a file of the audit was changed, where the audit is signed already and
    ///   may not be signed again, and where the key is not that of a privacy officer of the list;
    ///   `Failure(.noSuchInput)`; `Failure(.badData)`; `Failure(.readOrWriteFailed)`.
    public func review() throws -> Review {
        let key = try SigningKey(contentsOf: key), review = try folder.review()
        if trust != nil { try OfficerRule(trust: trust, own: nil).require(key.publicKey) }
        if let signer = review.signer, !replaces {
            throw Failure(.notPermitted, audit, "is signed already, by \(signer)", remedy: .replace)
        }
        return Review(
            digest: review.digest, verdict: review.audit.verdict.outcome.rawValue,
            lines: OfficerText.lines(review.audit, folder: folder.path) + [
                """
                nobody has checked who made these figures: sign only an audit that you, or somebody whom you trust, \
                has run
                """
            ], signer: key.publicKey.fingerprint)
    }

    /// The audit's folder, which may be named by its public folder or one of its files, too.
    private var folder: AuditFolder { AuditFolder(finding: audit)?.whole ?? AuditFolder(audit) }

    public func validate() throws {
        guard reviewed != nil else {
            throw Failure(.usage, option: "reviewed", "an audit is read before it is signed: call review() first")
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let review = try review(), key = try SigningKey(contentsOf: key)
        let signed = try folder.sign(
            key, reviewed: reviewed ?? review.digest, date: Day.text(Date()))
        return Outcome(
            audit: audit, verdict: review.verdict, signer: key.publicKey.fingerprint, date: signed.signed ?? "")
    }
}

/// An audit in sentences for a terminal.
enum OfficerText {
    static func lines(_ audit: PublicAudit, folder: String?) -> [String] {
        let figures = audit.figures, samples = figures.samples
        let set = samples.kind == .drawn ? "drawn by the audit from the model" : samples.name ?? "not named"
        let other = figures.policy.deviations.filter { !figures.policy.weakerLimits.contains($0) }
        return [AuditPage(audit).sentence] + audit.verdict.reasons.map { "- \($0)" }
            + figures.policy.weakerLimits.map { "a weaker limit than the usual one: \($0)" }
            + other.map { "another limit than the usual one: \($0)" }
            + [
                "the set: \(set), \(samples.count) samples of \(samples.size) x \(samples.size), content "
                    + samples.digest.grouped(16),
                "audited on \(audit.date) against about \(figures.training.patients) patients of "
                    + "\(figures.training.site ?? "a folder"), and \(figures.holdout.calibration) and "
                    + "\(figures.holdout.report) patients of the holdout",
            ]
            + figures.earlierAudits.map {
                "an earlier audit of the same model: \($0.date), \($0.count) samples, \($0.verdict.rawValue)"
            }
            + figures.notTested.map { "not tested: \($0)" }
            + (folder.map {
                [
                    "the page: \($0)/public/audit.html",
                    "the nearest pairs, which show patients: \($0)/private/evidence.html",
                ]
            } ?? [])
    }
}
