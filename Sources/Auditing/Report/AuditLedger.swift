import CheckpointStore
import SampleStore
import Files
import Foundation
import Verdicts

/// The audits that were made against a training set: `DATA.audits.jsonl` beside that set, with one line for each audit.
/// An audit lists the earlier audits of the same model. In this way, everybody sees when somebody sampled again until a
/// set passed.
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

    /// Earlier audits of the same models, or, without models, of pictures whose model is not known. An audit of the
    /// same samples under the same policy is left out.
    /// - Throws: `Failure(.badData)` with the line of the ledger; `Failure(.readOrWriteFailed)`.
    package func earlier(samples: Digest, models: [Digest], policy: AuditPolicy) throws -> [AuditFigures.EarlierAudit] {
        let own = try AuditLedger.digest(policy)
        return try lines().filter { line in
            let isSame = line.samples == samples && line.policy == own
            return !isSame && (models.isEmpty ? line.models.isEmpty : !Set(models).isDisjoint(with: line.models))
        }.map { AuditFigures.EarlierAudit(date: $0.date, samples: $0.samples, count: $0.count, verdict: $0.verdict) }
    }

    /// Notes an audit.
    /// - Returns: whether the ledger could be written. The training data may lie in a folder that cannot be written.
    /// - Throws: `Failure(.badData)` with the line of the ledger that is damaged; `Failure(.readOrWriteFailed)`.
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
