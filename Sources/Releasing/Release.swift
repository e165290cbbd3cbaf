import CheckpointStore
import Cohorts
import EvaluationPages
import Files
import Foundation
import SampleStore
import Verdicts

/// Makes a released set from an audited set. Flagged samples are left out, the rest is renumbered, and the set gets its
/// verdict and a signature.
package struct Release {
    package struct Outcome: Sendable {
        package let samples, dropped: Int
        /// Whether the samples can be made again from their seeds.
        package let isReplayable: Bool
        /// The audit's limits that differ from the defaults; they should be shown first.
        package let deviations: [String]
    }

    private let path: String
    private let folder: AuditFolder
    private let key: SigningKey
    private let evaluation: String?
    /// Throws where the signer of an audit is not a privacy officer.
    private let requireOfficer: (PublicKey) throws -> Void

    /// - Parameters:
    ///   - path: the audited sample set.
    ///   - audit: the folder of the audit.
    ///   - evaluation: the folder of an evaluation that the release carries; nil for none.
    ///   - key: signs the release.
    ///   - requireOfficer: throws where the owner of a key may not sign audits.
    package init(
        _ path: String, audit: String, evaluation: String? = nil, key: SigningKey,
        requireOfficer: @escaping (PublicKey) throws -> Void
    ) {
        self.path = path
        self.evaluation = evaluation
        folder = AuditFolder(audit)
        self.key = key
        self.requireOfficer = requireOfficer
    }

    /// Writes the released set.
    /// - Throws: `Failure(.notPermitted)` where the audit is unsigned, edited, of another set, stale, failed or without
    ///   power; `Failure(.badData)` where a file is not valid or no sample is left; `Failure(.noSuchInput)`;
    ///   `Failure(.cannotCreateOutput)`; `Failure(.readOrWriteFailed)`.
    package func write(to output: String, force: Bool, now: Date = Date()) async throws -> Outcome {
        let gate = try AuditGate(folder.path, requireOfficer: requireOfficer, now: now), audit = gate.audit
        let digest = try await SampleSetFile.contentDigest(path)
        guard digest == audit.figures.samples.digest else {
            throw Failure(
                .notPermitted, folder.path, field: "samples", expected: "an audit of \(digest)",
                found: "one of \(audit.figures.samples.digest)")
        }
        guard audit.figures.training.inLineage != .no else {
            throw Failure(
                .notPermitted, folder.path,
                """
                audited the samples against photographs that their model did not learn from; audit them against those \
                that it did
                """
            )
        }
        try gate.requirePass()
        let evaluation = try evaluation.map { try EvaluationFolder($0).text(of: digest) }
        let source = try await SampleSetFile.open(path)
        guard source.models.count == 1, let model = source.models.first else {
            throw Failure(.badData, path, field: "models", expected: "one", found: "\(source.models.count)")
        }
        try Release.requireNoCanaries(model, path: path)
        let dropped = source.withCounterfactuals(of: try folder.flagged(audit).rows)
        let kept = (0..<source.count).filter { !dropped.contains($0) }
        guard !kept.isEmpty else {
            throw Failure(.badData, path, "every sample is flagged; nothing is left to release")
        }
        // Where samples share a seed, or their numbers have a gap, both lead to a sample that was left out.
        let isReplayable = dropped.isEmpty || source.hasIndependentSeeds
        let work = output + ".work.h5"
        defer { unlink(work) }
        try await write(source, model, kept, isReplayable: isReplayable, release: nil, to: work, force: true)
        let statement = ReleaseStatement(
            content: try await ReleaseStatement.contentDigest(work), source: digest,
            audit: Digest(of: Array(gate.bytes)), evaluation: evaluation.map { Digest(of: Array($0.utf8)) },
            date: Day.text(now), key: key.publicKey.text,
            isReplayable: isReplayable)
        let text = try JSONText.encoded(statement)
        let signature = key.signature(of: DetachedSignature.message(ReleaseStatement.domain, Data(text.utf8)))
            .base64EncodedString()
        let record = ReleaseRecord(
            verdict: String(decoding: gate.bytes, as: UTF8.self),
            verdictSignature: String(decoding: gate.signature, as: UTF8.self).trimmingCharacters(
                in: .whitespacesAndNewlines), statement: text,
            signature: signature, evaluation: evaluation)
        try await write(source, model, kept, isReplayable: isReplayable, release: record, to: output, force: force)
        return Outcome(
            samples: kept.count, dropped: dropped.count, isReplayable: isReplayable,
            deviations: audit.figures.policy.deviations)
    }

    /// Refuses samples of a model that was trained with canaries. They show the planted phantoms, and nobody has
    /// bounded what such a model reveals about its other patients.
    private static func requireNoCanaries(_ model: ModelRecord, path: String) throws {
        struct Marked: Decodable { var canaries: CanaryRecord? }
        guard try JSONText.decode(Marked.self, Data(model.manifestJSON.utf8), place: "\(path) /models").canaries == nil
        else {
            throw Failure(
                .notPermitted, path,
                "is of a model that was trained with canaries, for audits alone; draw samples from a model without them"
            )
        }
    }

    private func write(
        _ source: SampleSetFile, _ model: ModelRecord, _ rows: [Int], isReplayable: Bool, release: ReleaseRecord?,
        to output: String, force: Bool
    ) async throws {
        var resume = false, options = SampleSetWriter.Options(force: force), newRows: [Int: Int] = [:]
        // The samples are written run by run, in the order in which they were drawn.
        for (number, run) in source.runs.enumerated() {
            let own = rows.filter { Int(source.runOfSample[$0]) == number }
            guard !own.isEmpty else { continue }
            options.resume = resume
            if resume { options.force = false }
            let writer = try SampleSetWriter(
                path: output, width: source.width, height: source.height, run: run, model: model, terms: source.terms,
                siteNames: source.siteNames,
                structures: source.structures, created: source.created, release: release, options: options)
            resume = true
            for start in stride(from: 0, to: own.count, by: 64) {
                let part = Array(own[start..<min(start + 64, own.count)])
                let pixels = try await source.images(rows: part), size = pixels.count / part.count, first = writer.count
                for (place, row) in part.enumerated() { newRows[row] = first + place }
                var maps: [[UInt8]] = []
                for name in source.structures { maps.append(try await source.map(name, rows: part)) }
                try await writer.append(
                    part.enumerated().map { place, row in
                        let sites = source.siteNames.count
                        return SampleRecord(
                            pixels: Array(pixels[place * size..<(place + 1) * size]), cohort: source.cohort(row: row),
                            requests: source.requests.compactMapValues { $0[row].isNaN ? nil : $0[row] },
                            asked: source.asked(row: row),
                            seed: isReplayable ? source.seeds[row] : 0,
                            index: isReplayable ? source.indices[row] : UInt64(first + place),
                            siteWeights: Array(source.siteWeights[row * sites..<(row + 1) * sites]),
                            maps: maps.map { Array($0[place * size / 3..<(place + 1) * size / 3]) },
                            original: source.original(row: row).flatMap { newRows[$0] })
                    }, finished: run.finished ?? run.started)
            }
            let isLast = rows.allSatisfy { Int(source.runOfSample[$0]) <= number }
            if isLast { try await writer.finish() }
        }
    }
}

extension SampleSetFile {
    /// Whether every sample has a random seed of its own, so that neither a gap in the numbers nor another sample's
    /// seed leads to it. Counterfactuals have the seed of their original.
    var hasIndependentSeeds: Bool {
        let own = (0..<count).filter { original(row: $0) == nil }
        return Set(own.map { seeds[$0] }).count == own.count && indices.allSatisfy { $0 == 0 }
    }

    /// These rows, and all other rows that show the same eyes: their originals and the counterfactuals of those.
    func withCounterfactuals(of rows: [Int]) -> Set<Int> {
        let eyes = Set(rows.map { original(row: $0) ?? $0 })
        return Set((0..<count).filter { eyes.contains(original(row: $0) ?? $0) })
    }
}
