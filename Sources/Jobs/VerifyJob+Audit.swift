import Auditing
import CheckpointStore
import Federation
import Files
import Foundation
import SampleStore
import Verdicts

extension VerifyJob {
    /// What the check of an audit has shown.
    struct AuditCheck {
        var findings: [Finding] = []
        /// A clause that says what was checked and is right.
        var praise = ""
        /// A clause that says who signed; nil where nobody did.
        var signer: String?
    }

    /// Checks an audit: every file of its public folder, its verdict, its signature, and the set that it is of.
    func checkAudit(_ folder: AuditFolder, _ list: TrustList?) async throws -> AuditCheck {
        var result = AuditCheck()
        func check(_ body: () throws -> Void) rethrows {
            do { try body() } catch let failure as Failure where failure.kind != .readOrWriteFailed {
                result.findings.append(Finding(failure.place ?? folder.path, failure.sentence))
            }
        }
        var audit: PublicAudit?
        try check { audit = try folder.audit() }
        guard let audit else { return result }
        result.praise = "the verdict is \(audit.verdict.outcome.rawValue), and it follows from the figures"
        for stranger in folder.strangers {
            result.findings.append(
                Finding("\(folder.path)/\(stranger)", "does not belong to an audit, and could be taken for its page"))
        }
        if audit.officer != nil {
            try check { result.signer = try signature(try folder.signedAudit(), list, &result.findings) }
        }
        // Another version of Fovea may write another page for the same figures.
        if audit.version == PublicAudit.version, audit.tool == ToolVersion.current {
            try check { try folder.requirePage(of: audit) }
            result.praise += "; \(folder.publicFile(AuditFolder.page)) shows them"
        }
        if folder.privateFile("flagged.json") != nil { try check { _ = try folder.flagged(audit) } }
        if let samples { result.findings += try await set(samples, audit) }
        return result
    }

    /// A clause that says who signed an audit, and whether the signature covers its page.
    private func signature(_ signed: SignedAudit, _ list: TrustList?, _ findings: inout [Finding]) throws -> String {
        var name = "\(signed.officer.fingerprint), who was not looked up in any list"
        if let list {
            let member = try list.member(signing: signed.officer, at: Date(), file: file)
            name = member.name
            if member.role != .privacyOfficer {
                findings.append(Finding("signature", "is by \(member.name), who is no privacy officer"))
            }
        }
        let day = signed.audit.signed.map { "on \($0) " } ?? ""
        let reach =
            signed.coversPage
            ? "the signature covers the page and every other file"
            : "the signature covers the figures alone, as fovea 0.1 signed them: the page may have been changed"
        return "it was signed \(day)by \(name); \(reach)"
    }

    /// Checks that an audit is of a set. A released set is another file than the audited one, and says itself which
    /// set it was made from.
    private func set(_ path: String, _ audit: PublicAudit) async throws -> [Finding] {
        let source = try await AuditSource(path), expected = audit.figures.samples.digest
        if case .samples(let file) = source.content, let record = file.release {
            return Data(record.verdict.utf8) == (try audit.encoded())
                ? [] : [Finding(path, "was released on another audit than this one")]
        }
        let digest = source.digest
        guard digest != expected else { return [] }
        return [
            Finding(
                path,
                "is not the set that was audited: its content is \(digest.grouped(16)), and the audit is of "
                    + expected.grouped(16))
        ]
    }
}
