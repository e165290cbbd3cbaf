import CheckpointStore
import Files
import Foundation

/// The folder of an audit: `public/` may leave the site, `private/` (mode 0700) never does.
package struct AuditFolder {
    package let path: String

    package init(_ path: String) { self.path = path.hasSuffix("/") ? String(path.dropLast()) : path }

    private static let names: Set = ["public", "private"]

    /// - Throws: `Failure(.cannotCreateOutput)` where something is there already and may not be replaced.
    package func requireWritable(force: Bool) throws {
        guard let found = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            return try StagedFile.requireWritable(path, force: false)
        }
        guard Set(found).isSubset(of: AuditFolder.names) else {
            throw Failure(
                .cannotCreateOutput, path, "holds something else than an audit; give the audit a folder of its own")
        }
        guard found.isEmpty || force else {
            throw Failure(.cannotCreateOutput, path, "exists; give --force to replace it")
        }
    }

    /// Writes everything, the signature last.
    package func write(_ result: AuditResult, date: String, key: SigningKey?) throws -> PublicAudit {
        let audit = PublicAudit(result.figures, date: date, officer: key?.publicKey)
        let json = try audit.encoded()
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
            throw Failure(.cannotCreateOutput, path, "could not be made: \((error as NSError).localizedDescription)")
        }
        defer { try? FileManager.default.removeItem(atPath: staging) }
        func put(_ name: String, _ data: Data) throws {
            let file = try StagedFile("\(staging)/\(name)", force: true)
            try file.write(data)
            try file.commit()
        }
        try put("private/flagged.json", Data(result.flaggedJSON.utf8))
        try put("private/pairs.json", Data(try AuditFolder.pretty(evidence.pairs).utf8))
        if let membership = result.membership {
            try put(
                "private/membership.json",
                Data(try AuditFolder.pretty(["members": membership.members, "nonMembers": membership.nonMembers]).utf8))
        }
        try put("private/evidence.html", Data(evidence.html.utf8))
        try put("public/audit.html", Data(AuditPage(audit).html.source.utf8))
        try put("public/audit.json", json)
        if let key {
            try DetachedSignature.write(json, at: "\(staging)/public/audit.json", domain: PublicAudit.domain, key: key)
        }
        // Replaced as a whole: no file of an earlier audit stays behind.
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for name in AuditFolder.names {
            try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
            do { try FileManager.default.moveItem(atPath: "\(staging)/\(name)", toPath: "\(path)/\(name)") } catch {
                throw Failure(
                    .readOrWriteFailed, path, "could not be written: \((error as NSError).localizedDescription)")
            }
        }
        return audit
    }

    /// The list that a release drops, checked against the signed audit.
    /// - Throws: `Failure(.notPermitted)` where it is another.
    package func flagged(_ audit: PublicAudit) throws -> FlaggedList {
        let place = path + "/private/flagged.json", data = try JSONText.contents(place)
        guard Digest(of: Array(data)) == audit.figures.flaggedDigest else {
            throw Failure(.notPermitted, place, "is not the list that the audit was signed with")
        }
        return try JSONText.decode(FlaggedList.self, data, place: place)
    }

    static func pretty(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }
}
