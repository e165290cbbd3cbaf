import CheckpointStore
import Files
import Foundation
import Verdicts

/// Which audits were made against a training set: `DATA.audits.jsonl` beside it, a line each. The verdict lists the
/// earlier ones of the same model, so that sampling again until a set passes shows.
package struct AuditLedger {
    package let path: String

    private struct Line: Codable, Hashable {
        var date: String
        var samples: Digest
        var count: Int
        var models: [Digest]
        var policy: Digest
        var verdict: Verdict.Outcome
    }

    package init(for train: String) {
        path = (train.hasSuffix("/") ? String(train.dropLast()) : train) + ".audits.jsonl"
    }

    private func lines() throws -> [Line] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let text = String(decoding: try JSONText.contents(path), as: UTF8.self)
        return try text.split(separator: "\n").enumerated().map {
            try JSONText.decode(Line.self, Data($1.utf8), place: "\(path) line \($0 + 1)")
        }
    }

    /// Earlier audits of the same models, or of pictures whose model is not known; the same audit made again is none.
    package func earlier(samples: Digest, models: [Digest], policy: AuditPolicy) throws -> [AuditFigures.EarlierAudit] {
        let own = try AuditLedger.digest(policy)
        return try lines().filter { line in
            let isSame = line.samples == samples && line.policy == own
            return !isSame && (models.isEmpty ? line.models.isEmpty : !Set(models).isDisjoint(with: line.models))
        }.map { AuditFigures.EarlierAudit(date: $0.date, samples: $0.samples, count: $0.count, verdict: $0.verdict) }
    }

    /// - Returns: whether it could be written; the training data may lie where nobody writes.
    package func append(_ audit: PublicAudit) throws -> Bool {
        let figures = audit.figures
        let models = Array(Set(figures.samples.models + (figures.model.map { [$0] } ?? []))).sorted {
            $0.description < $1.description
        }
        let line = Line(
            date: audit.date, samples: figures.samples.digest, count: figures.samples.count, models: models,
            policy: try AuditLedger.digest(figures.policy), verdict: audit.verdict.outcome)
        let known = try lines()
        if known.contains(line) { return true }
        guard let staged = try? StagedFile(path, force: true) else { return false }
        let text = try (known + [line]).map { try JSONText.encoded($0) + "\n" }.joined()
        do {
            try staged.write(Data(text.utf8))
            try staged.commit()
        } catch { return false }
        chmod(path, 0o600)
        return true
    }

    private static func digest(_ policy: AuditPolicy) throws -> Digest {
        Digest(of: Array(try JSONText.encoded(policy).utf8))
    }
}
