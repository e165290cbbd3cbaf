import CheckpointStore
import Federation
import Files
import Foundation
import Releasing
import SampleStore
import Verdicts

/// Who may sign audits: a privacy officer of a list of trust or, without a list, only the key that signs here.
struct OfficerRule: Sendable {
    /// The list of trust.
    let trust: String?
    /// The key that signs here.
    let own: PublicKey?

    /// A passing audit of a model.
    /// - Throws: `Failure(.notPermitted)` where the audit does not allow the model to leave the site.
    func gate(_ folder: String, model: Digest) throws -> PassedAudit {
        let gate = try AuditGate(folder, requireOfficer: require)
        try gate.requireModel(model)
        return PassedAudit(digest: gate.digest, weakerLimits: gate.audit.figures.policy.weakerLimits)
    }

    /// Checks that the owner of a key may sign audits.
    /// - Throws: `Failure(.notPermitted)` where that is not so.
    func require(_ signer: PublicKey) throws {
        guard let trust else {
            guard signer == own else {
                throw Failure(
                    .notPermitted, nil,
                    """
                    the audit is signed by \(signer.fingerprint), and nothing says that this is a privacy officer
                    """, remedy: .trust)
            }
            return
        }
        let member = try TrustList(contentsOf: trust).member(signing: signer, at: Date(), file: trust)
        guard member.role == .privacyOfficer else {
            throw Failure(
                .notPermitted, trust, field: "role of \(member.name.printable)", expected: "privacy-officer",
                found: member.role.rawValue)
        }
    }
}
