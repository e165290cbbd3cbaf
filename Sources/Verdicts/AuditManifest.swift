import CheckpointStore
import Figures
import Files
import Foundation

/// `public/manifest.json`: the digest of every other file in an audit's public folder. A privacy officer signs it, so
/// that the signature covers the page that people read and not only the figures.
package struct AuditManifest: Codable, Hashable, Sendable {
    static let kind = "fovea.audit-manifest", version = 1, domain = "fovea-audit-manifest-1"

    var kind = AuditManifest.kind
    var version = AuditManifest.version
    /// SHA-256 of each file, by its name.
    package var files: [String: Digest]
    /// SHA-256 of each file of the private folder, by its name, so that the officer's site can tell whether the
    /// evidence is the one that was read.
    package var privateFiles: [String: Digest]

    init(files: [String: Digest], privateFiles: [String: Digest]) {
        self.files = files
        self.privateFiles = privateFiles
    }
}

/// An audit whose signature was checked.
package struct SignedAudit: Sendable {
    package let audit: PublicAudit
    /// The bytes of `audit.json` and of its signature.
    package let bytes, signature: Data
    package let officer: PublicKey
    /// Whether the signature covers the page. That of an audit by Fovea 0.1 covers the figures alone.
    package let coversPage: Bool
}

extension AuditFolder {
    /// The audit, without any check of a signature.
    /// - Throws: `Failure(.noSuchInput)`; `Failure(.badData)`; `Failure(.notPermitted)` where the verdict does not
    ///   follow from the figures; `Failure(.readOrWriteFailed)`.
    package func audit() throws -> PublicAudit {
        let place = publicFile(AuditFolder.figures)
        return try PublicAudit.decode(try JSONText.contents(place), place: place)
    }

    /// Reads the audit and checks its signature, its verdict and every file of the public folder.
    /// - Throws: `Failure(.noSuchInput)`; `Failure(.badData)`; `Failure(.notPermitted)` where the audit is unsigned, a
    ///   file was edited, added or removed, or the verdict does not follow from its figures.
    package func signedAudit() throws -> SignedAudit {
        let place = publicFile(AuditFolder.figures), bytes = try JSONText.contents(place)
        let audit = try JSONText.decode(PublicAudit.self, bytes, place: place)
        guard let text = audit.officer else {
            throw Failure(.notPermitted, place, "is not signed", remedy: .signAudit)
        }
        let officer = try PublicKey(text, field: "officer", place: place)
        try DetachedSignature.verify(
            bytes, at: place, domain: PublicAudit.domain, by: officer, advice: "the privacy officer signs the audit")
        // The signature is checked first, so that an edit is called an edit.
        _ = try PublicAudit.decode(bytes, place: place)
        if audit.version > 1 { try requireManifest(by: officer) }
        return SignedAudit(
            audit: audit, bytes: bytes, signature: try JSONText.contents(DetachedSignature.path(for: place)),
            officer: officer, coversPage: audit.version > 1)
    }

    private func requireManifest(by officer: PublicKey) throws {
        let place = publicFile(AuditFolder.manifest)
        guard FileManager.default.fileExists(atPath: place) else {
            throw Failure(
                .notPermitted, place,
                "is missing, so nothing shows that the page is the one that the privacy officer signed")
        }
        let bytes = try JSONText.contents(place)
        try DetachedSignature.verify(
            bytes, at: place, domain: AuditManifest.domain, by: officer,
            advice: "the privacy officer signs the audit")
        let manifest = try JSONText.decode(AuditManifest.self, bytes, place: place)
        guard manifest.kind == AuditManifest.kind, manifest.version == AuditManifest.version else {
            throw Failure(
                .badData, place, field: "kind", expected: "\(AuditManifest.kind) \(AuditManifest.version)",
                found: "\(manifest.kind.printable) \(manifest.version)")
        }
        try requirePrivateFiles(manifest, by: officer)
        let found = try listedFiles()
        for name in Set(found).union(manifest.files.keys).sorted() {
            let file = publicFile(name)
            guard let expected = manifest.files[name] else {
                throw Failure(.notPermitted, file, "is not among the files that \(officer.fingerprint) signed")
            }
            guard found.contains(name) else {
                throw Failure(.notPermitted, file, "is missing; \(officer.fingerprint) signed it")
            }
            guard try Digest(ofFile: file) == expected else {
                throw Failure(.notPermitted, file, "is not the file that \(officer.fingerprint) signed; it was changed")
            }
        }
    }

    /// Checks the private folder where there is one; outside the site there is none.
    private func requirePrivateFiles(_ manifest: AuditManifest, by officer: PublicKey) throws {
        for (name, expected) in manifest.privateFiles.sorted(by: { $0.key < $1.key }) {
            guard let file = privateFile(name) else { continue }
            guard try Digest(ofFile: file) == expected else {
                throw Failure(
                    .notPermitted, file, "is not the file that was there when \(officer.fingerprint) signed the audit")
            }
        }
    }

    /// What lies in the audit's folder beside the public and the private folder: another page there may be taken for
    /// the audit's own.
    package var strangers: [String] {
        guard path + "/public" == publicPath,
            let found = try? FileManager.default.contentsOfDirectory(atPath: path)
        else { return [] }
        return found.filter { !AuditFolder.names.contains($0) && !AuditFolder.unfinished.contains($0) }.sorted()
    }

    /// The digests of the files in the private folder, by name.
    func privateDigests() throws -> [String: Digest] {
        let folder = path + "/private", names = try? FileManager.default.contentsOfDirectory(atPath: folder)
        let pairs = try (names ?? []).map { ($0, try Digest(ofFile: folder + "/" + $0)) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    /// The names of everything in the public folder but the manifest and its signature.
    func listedFiles() throws -> [String] {
        let own: Set = [AuditFolder.manifest, DetachedSignature.path(for: AuditFolder.manifest)]
        do {
            return try FileManager.default.contentsOfDirectory(atPath: publicPath).filter { !own.contains($0) }.sorted()
        } catch {
            throw Failure(.readOrWriteFailed, publicPath, "could not be listed: \(SystemReason.text(error))")
        }
    }

    /// Checks that the page is the one that this version of Fovea writes for the audit's figures.
    /// - Throws: `Failure(.notPermitted)` where it is not; `Failure(.noSuchInput)`; `Failure(.readOrWriteFailed)`.
    package func requirePage(of audit: PublicAudit) throws {
        let place = publicFile(AuditFolder.page), bytes = try JSONText.contents(place)
        guard bytes != Data(AuditPage(audit).html.source.utf8) else { return }
        let made = audit.tool == ToolVersion.current ? "" : ", or fovea \(audit.tool.printable) wrote it otherwise"
        throw Failure(
            .notPermitted, place, "is not the page that follows from audit.json: one of the two was changed\(made)")
    }
}
