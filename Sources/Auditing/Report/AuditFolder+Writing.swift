import Figures
import Files
import Foundation
import Verdicts

extension AuditFolder {
    /// Writes the whole folder of an audit, which nobody has signed yet.
    /// - Parameter date: the day of the audit, such as `2026-01-31`.
    /// - Throws: `Failure(.cannotCreateOutput)`; `Failure(.readOrWriteFailed)`.
    package func write(_ result: AuditResult, date: String) throws -> PublicAudit {
        let audit = PublicAudit(result.figures, date: date)
        let evidence = try EvidencePage(result)
        let staging = path + ".unfinished-audit"
        try? FileManager.default.removeItem(atPath: staging)
        do {
            for (folder, mode) in [("public", 0o755), ("private", 0o700)] {
                try FileManager.default.createDirectory(
                    atPath: "\(staging)/\(folder)", withIntermediateDirectories: true,
                    attributes: [.posixPermissions: mode])
            }
        } catch {
            throw Failure(.cannotCreateOutput, path, "could not be made: \(SystemReason.text(error))")
        }
        defer { try? FileManager.default.removeItem(atPath: staging) }
        func put(_ name: String, _ data: Data) throws { try AuditFolder.put(data, at: "\(staging)/\(name)") }
        try put("private/\(PrivateDigests.file)", Data(try AuditFolder.pretty(result.digests).utf8))
        try put("private/flagged.json", Data(result.flaggedJSON.utf8))
        try put("private/pairs.json", Data(try AuditFolder.pretty(evidence.pairs).utf8))
        if let membership = result.membership {
            try put(
                "private/membership.json",
                Data(try AuditFolder.pretty(["members": membership.members, "nonMembers": membership.nonMembers]).utf8))
        }
        try put("private/evidence.html", Data(evidence.html.utf8))
        try put("public/\(AuditFolder.page)", Data(AuditPage(audit).html.source.utf8))
        try put("public/\(AuditFolder.figures)", try audit.encoded())
        // Both folders are replaced as a whole, so that no file of an earlier audit stays behind.
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for name in AuditFolder.names {
            try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
            do { try FileManager.default.moveItem(atPath: "\(staging)/\(name)", toPath: "\(path)/\(name)") } catch {
                throw Failure(
                    .readOrWriteFailed, path, "could not be written: \(SystemReason.text(error))")
            }
        }
        return audit
    }
}
