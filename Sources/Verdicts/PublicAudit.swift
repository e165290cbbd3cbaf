import CheckpointStore
import Files
import Foundation

/// `public/audit.json`: the verdict and the figures, which are aggregates only. docs/audit.schema.json describes it.
package struct PublicAudit: Codable, Hashable, Sendable {
    package static let kind = "fovea.audit"
    /// Version 2 tells whether samples are photographs and needs membership for power, and its signature covers every
    /// public file by a manifest. Version 1 is that of Fovea 0.1, whose signature covers `audit.json` alone.
    package static let version = 2
    package static let domain = "fovea-audit-1"

    package var kind = PublicAudit.kind
    package var version = PublicAudit.version
    package var tool = ToolVersion.current
    /// The day of the audit, such as `2026-01-31`.
    package var date: String
    /// The privacy officer's public key in base64; nil where nobody signed.
    package var officer: String?
    /// The day of the signature; nil where nobody signed, and in version 1.
    package var signed: String?
    package var verdict: Verdict
    package var figures: AuditFigures

    /// An audit that nobody has signed yet.
    package init(_ figures: AuditFigures, date: String) {
        self.date = date
        self.figures = figures
        verdict = Verdict(figures)
    }

    /// The bytes of `audit.json`.
    package func encoded() throws -> Data { Data(try AuditFolder.pretty(self).utf8) }

    /// Decodes an audit without checking its signature.
    /// - Throws: `Failure(.badData)` where the bytes are not an audit; `Failure(.notPermitted)` where the verdict does
    ///   not follow from the figures.
    package static func decode(_ bytes: Data, place: String) throws -> PublicAudit {
        let audit = try JSONText.decode(PublicAudit.self, bytes, place: place)
        try audit.requireSound(place: place)
        return audit
    }

    private func requireSound(place: String) throws {
        guard kind == PublicAudit.kind, (1...PublicAudit.version).contains(version) else {
            throw Failure(
                .badData, place, field: "kind", expected: "\(PublicAudit.kind) 1 to \(PublicAudit.version)",
                found: "\(kind.printable) \(version)")
        }
        guard Day.noon(date) != nil else {
            throw Failure(.badData, place, field: "date", expected: "a day such as 2026-01-31", found: date.printable)
        }
        let computed = Verdict(figures, version: version)
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
