import CheckpointStore
import Figures
import Files
import Foundation

/// `private/digests.json`: the digests of the photographs. They leave the site only as HMACs under the signing key.
package struct PrivateDigests: Codable, Hashable, Sendable {
    package static let file = "digests.json"
    package var training: Digest
    package var holdout: Digest

    package init(training: Digest, holdout: Digest) { (self.training, self.holdout) = (training, holdout) }
}

/// What a privacy officer reads before signing an audit.
package struct AuditReview: Sendable {
    package let audit: PublicAudit
    /// The digest of everything that was read. Signing states it again, so that nothing else is signed.
    package let digest: Digest
    /// The fingerprint of whoever has signed already; nil where nobody has.
    package let signer: String?
}

extension AuditFolder {
    /// Reads an audit for signing. Its page must be the one that follows from its figures, and its list of flagged
    /// samples must be its own.
    /// - Throws: `Failure(.notPermitted)` where a file was changed, and for an audit of Fovea 0.1;
    ///   `Failure(.noSuchInput)`; `Failure(.badData)`; `Failure(.readOrWriteFailed)`.
    package func review() throws -> AuditReview {
        restore()
        if let stranger = strangers.first {
            throw Failure(
                .notPermitted, path + "/" + stranger,
                "does not belong to an audit, and could be taken for its page; move it elsewhere before signing")
        }
        let place = publicFile(AuditFolder.figures), audit = try audit()
        guard audit.version == PublicAudit.version else {
            throw Failure(
                .notPermitted, place,
                "was made by fovea \(audit.tool.printable), whose tests were others; audit again, and sign that audit")
        }
        // A signature that was lost or broken is no reason not to sign again.
        let signer =
            audit.officer == nil ? nil : (try? signedAudit())?.officer.fingerprint ?? "a key whose signature is broken"
        try requirePage(of: audit)
        _ = try flagged(audit)
        var builder = DigestBuilder()
        for name in [AuditFolder.figures, AuditFolder.page] {
            builder.update(try Digest(ofFile: publicFile(name)).bytes)
        }
        for (name, digest) in try privateDigests().sorted(by: { $0.key < $1.key }) {
            builder.update(Array(name.utf8) + digest.bytes)
        }
        return AuditReview(audit: audit, digest: builder.finalize(), signer: signer)
    }

    /// Signs an audit: names the officer in it, writes its page anew, and signs a manifest of every public file.
    ///
    /// The public folder is replaced as a whole.
    /// - Parameters:
    ///   - reviewed: the digest of the review that the officer read.
    ///   - date: the day of the signature, such as `2026-01-31`.
    /// - Throws: the failures of `review`; `Failure(.notPermitted)` where the audit has changed since it was read;
    ///   `Failure(.cannotCreateOutput)`.
    package func sign(_ key: SigningKey, reviewed: Digest, date: String) throws -> PublicAudit {
        let review = try review()
        guard review.digest == reviewed else {
            throw Failure(.notPermitted, path, "has changed since it was read; read it again before signing")
        }
        var audit = review.audit
        (audit.officer, audit.signed) = (key.publicKey.text, date)
        let place = path + "/private/" + PrivateDigests.file
        let digests = try JSONText.decode(PrivateDigests.self, try JSONText.contents(place), place: place)
        audit.figures.training.digest = key.protected(digests.training.description)
        audit.figures.holdout.digest = key.protected(digests.holdout.description)
        try? FileManager.default.removeItem(atPath: staging)
        defer { try? FileManager.default.removeItem(atPath: staging) }
        do {
            try FileManager.default.createDirectory(
                atPath: staging, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        } catch {
            throw Failure(.cannotCreateOutput, path, "could not be changed: \(SystemReason.text(error))")
        }
        let figures = try audit.encoded()
        try AuditFolder.put(figures, at: staging + "/" + AuditFolder.figures)
        try DetachedSignature.write(
            figures, at: staging + "/" + AuditFolder.figures, domain: PublicAudit.domain, key: key)
        try AuditFolder.put(Data(AuditPage(audit).html.source.utf8), at: staging + "/" + AuditFolder.page)
        let staged = AuditFolder(staging, showing: staging)
        let files = try staged.listedFiles().map { ($0, try Digest(ofFile: staged.publicFile($0))) }
        let manifest = Data(
            try AuditFolder.pretty(
                AuditManifest(
                    files: Dictionary(uniqueKeysWithValues: files), privateFiles: try privateDigests())
            ).utf8)
        try AuditFolder.put(manifest, at: staging + "/" + AuditFolder.manifest)
        try DetachedSignature.write(
            manifest, at: staging + "/" + AuditFolder.manifest, domain: AuditManifest.domain, key: key)
        try exchange()
        return audit
    }

    /// Puts the staged folder in the place of the public folder. `restore()` mends an interruption between the two
    /// renames.
    private func exchange() throws {
        guard rename(publicPath, replaced) == 0, rename(staging, publicPath) == 0 else {
            let problem = SystemReason.text()
            restore()
            throw Failure(.readOrWriteFailed, publicPath, "could not be replaced: \(problem)")
        }
        try? FileManager.default.removeItem(atPath: replaced)
    }

    private var staging: String { path + "/" + AuditFolder.unfinished[0] }
    private var replaced: String { path + "/" + AuditFolder.unfinished[1] }

    /// Puts the public folder back that an interrupted signing had moved away.
    private func restore() {
        if !FileManager.default.fileExists(atPath: publicPath) { rename(replaced, publicPath) }
    }

    /// Writes a file whole or not at all.
    package static func put(_ data: Data, at path: String) throws {
        let file = try StagedFile(path, force: true)
        try file.write(data)
        try file.commit()
    }
}
