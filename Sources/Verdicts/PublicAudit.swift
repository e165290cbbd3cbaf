import CheckpointStore
import Files
import Foundation

/// `public/audit.json`: the verdict and the figures, which are aggregates only. docs/audit.schema.json describes it.
package struct PublicAudit: Codable, Hashable, Sendable {
    package static let kind = "fovea.audit"
    package static let version = 1
    package static let domain = "fovea-audit-1"

    package var kind = PublicAudit.kind
    package var version = PublicAudit.version
    package var tool = ToolVersion.current
    /// The day of the audit, such as `2026-01-31`.
    package var date: String
    /// The privacy officer's public key in base64; nil where nobody signed.
    package var officer: String?
    package var verdict: Verdict
    package var figures: AuditFigures

    package init(_ figures: AuditFigures, date: String, officer: PublicKey?) {
        self.date = date
        self.officer = officer?.text
        self.figures = figures
        verdict = Verdict(figures)
    }

    /// The bytes of `audit.json`.
    package func encoded() throws -> Data { Data(try AuditFolder.pretty(self).utf8) }

    /// Reads an audit and checks its signature and its verdict.
    ///
    /// - Parameter folder: the folder that `fovea audit` wrote.
    /// - Returns: the audit, its bytes, and the key that signed it.
    /// - Throws: `Failure(.noSuchInput)`; `Failure(.badData)`; `Failure(.notPermitted)` where the audit is unsigned or
    ///   was edited, or its verdict does not follow from its figures.
    package static func read(_ folder: String) throws -> (audit: PublicAudit, bytes: Data, officer: PublicKey) {
        let path = folder + "/public/audit.json", bytes = try JSONText.contents(path)
        let audit = try JSONText.decode(PublicAudit.self, bytes, place: path)
        guard let text = audit.officer else {
            throw Failure(.notPermitted, path, "is not signed", remedy: .signAudit)
        }
        let officer = try PublicKey(text, field: "officer", place: path)
        try DetachedSignature.verify(
            bytes, at: path, domain: domain, by: officer, advice: "the privacy officer signs the audit")
        try audit.requireSound(place: path)
        return (audit, bytes, officer)
    }

    /// Decodes an audit without checking its signature.
    /// - Throws: `Failure(.badData)` where the bytes are not an audit; `Failure(.notPermitted)` where the verdict does
    ///   not follow from the figures.
    package static func decode(_ bytes: Data, place: String) throws -> PublicAudit {
        let audit = try JSONText.decode(PublicAudit.self, bytes, place: place)
        try audit.requireSound(place: place)
        return audit
    }

    private func requireSound(place: String) throws {
        guard kind == PublicAudit.kind, version == PublicAudit.version else {
            throw Failure(
                .badData, place, field: "kind", expected: "\(PublicAudit.kind) \(PublicAudit.version)",
                found: "\(kind.printable) \(version)")
        }
        guard Day.noon(date) != nil else {
            throw Failure(.badData, place, field: "date", expected: "a day such as 2026-01-31", found: date.printable)
        }
        let computed = Verdict(figures)
        guard computed == verdict else {
            throw Failure(
                .notPermitted, place,
                """
                says \(verdict.outcome.rawValue), but its figures say \(computed.outcome.rawValue): \
                \(computed.reasons.first ?? "")
                """
            )
        }
    }
}
