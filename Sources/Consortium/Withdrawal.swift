import CheckpointStore
import Diffusion
import Federation
import Files
import Foundation
import Models
import SampleStore

/// Takes a site out of a merged model: goes back to the last base without the site, and merges again without it.
public struct Withdrawal: Sendable {
    /// What a withdrawal does.
    public struct Plan: Sendable {
        /// The paths of all weights files whose lineage holds the site.
        public let models: [String]
        /// The sample sets that such models made, and how many of their samples come from these models.
        public let sampleSets: [(path: String, samples: Int)]
        /// The round that was merged again.
        public let round: Int
        /// The later rounds, which must be trained again: they were trained on weights that came from the site.
        public let roundsToRetrain: [Int]
        /// Whether the result is the base of the round itself, because the withdrawn sites were alone in that round.
        public let isBase: Bool
        /// Whether the model was trained further after its last merge. The result lacks that training.
        public let isTrainedFurther: Bool
        fileprivate let base: LoadedModel
        /// The merge without the site; nil where the result is the base.
        fileprivate let merge: ModelMerge?
        /// What the base was merged on, where the merge needs it.
        fileprivate let previous: LoadedModel?
    }

    private let site: String
    private let merged: String
    private let manifest: Manifest<ModelDescription>
    private let archive: WeightsArchive
    private let folder: String

    /// - Parameters:
    ///   - merged: the model from which the site is taken.
    ///   - folder: the folder with the parcels and the bases of all rounds, in folders of any depth.
    /// - Throws: `Failure(.badData)` where the site is not in the model; `Failure(.noSuchInput)` where the model or the
    ///   folder does not exist; `Failure(.readOrWriteFailed)`.
    public init(site: String, from merged: String, parcels folder: String) throws {
        manifest = try Manifest<ModelDescription>.read(try SafetensorsIndex(contentsOf: merged), path: merged)
        guard manifest.sites.contains(site) else {
            throw Failure(
                .badData, merged, field: "site", expected: manifest.sites.sorted().joined(separator: ", "),
                found: "\(site.printable), which is not in it")
        }
        self.site = site
        self.merged = merged
        self.folder = folder
        archive = try WeightsArchive(folder)
    }

    private func path(_ digest: Digest, _ what: String) throws -> String {
        guard let path = archive.path(digest) else {
            throw Failure(
                .noSuchInput, folder, "holds no file of digest \(digest): \(what); nothing was changed",
                remedy: .markOnly)
        }
        return path
    }

    private func trainedOn(_ site: String, _ file: String) -> Failure {
        Failure(
            .checkFailed, file,
            "the first base was trained on photographs of \(site): train a base without them; nothing was changed",
            remedy: .markOnly)
    }

    /// Finds everything that the merge without the site needs, and what the site has touched. Nothing is written.
    ///
    /// - Parameters:
    ///   - withdrawn: other sites that are taken out, too.
    ///   - samples: paths of the sample sets in which samples from the site are counted.
    /// - Throws: `Failure(.checkFailed)` where the first base was trained on the site's photographs;
    ///   `Failure(.noSuchInput)` naming a file that is missing; the failures of `ModelMerge` and of
    ///   `SampleSetFile.open`.
    public func plan(withdrawn: Set<String> = [], samples: [String] = []) async throws -> Plan {
        let gone = withdrawn.union([site]), merges = manifest.merges ?? []
        guard let oldest = merges.lastIndex(where: { $0.parts.contains { gone.contains($0.site) } }) else {
            throw trainedOn(site, merged)
        }
        let record = merges[oldest]
        let base = try LoadedModel(contentsOf: try path(record.base, "the base of round \(record.round)"))
        if let before = base.manifest.sites.intersection(gone).sorted().first { throw trainedOn(before, base.path) }
        let isBase = record.parts.allSatisfy { gone.contains($0.site) }
        let merge =
            isBase
            ? nil
            : try ModelMerge(record, without: gone, base: base) {
                try path($0.parcel, "the parcel of \($0.site) for round \(record.round)")
            }
        let previous =
            try isBase || record.settings.momentum <= 0
            ? nil
            : base.manifest.parents.first.map {
                try LoadedModel(
                    contentsOf: try path(
                        try Digest(hexadecimal: $0, field: "parents", file: base.path),
                        "what round \(record.round - 1) was merged on"))
            }
        return Plan(
            models: archive.touched(by: site), sampleSets: try await sampleSets(samples), round: record.round,
            roundsToRetrain: merges[..<oldest].map(\.round).sorted(), isBase: isBase,
            isTrainedFurther: manifest.trainingData.contains { $0.inherited == true }, base: base, merge: merge,
            previous: previous)
    }

    /// Merges again and writes the result, together with the site's mark in the list of trust: both are written, or
    /// neither.
    ///
    /// - Parameters:
    ///   - key: signs the result; nil leaves it unsigned.
    ///   - mark: makes the mark, which is prepared once the result is known; nil for none.
    /// - Returns: the digest of the result.
    /// - Throws: `Failure(.cannotCreateOutput)`; the failures of `ModelMerge.write` and of `mark`.
    public static func write(
        _ plan: Plan, to output: String, key: SigningKey?, force: Bool, mark: () throws -> TrustList.Change? = { nil }
    ) throws -> Digest {
        try StagedFile.requireWritable(output, force: force)
        let staging = StagedFile.stagingPath(for: output), digest: Digest
        defer { try? FileManager.default.removeItem(atPath: staging) }
        if let merge = plan.merge {
            digest = try merge.write(staging, previous: plan.previous, key: key, force: true).digest
        } else {
            let staged = try StagedFile(staging, force: true)
            try staged.write(try JSONText.contents(plan.base.path))
            try staged.commit()
            digest = plan.base.digest
        }
        // The list comes first: a process that is killed in between has marked the site, and the same command again
        // writes the model.
        let change = try mark()
        try change?.commit()
        do { try StagedFile.move(staging, to: output, replacing: force) } catch {
            try change?.undo()
            throw error
        }
        return digest
    }

    private func sampleSets(_ paths: [String]) async throws -> [(path: String, samples: Int)] {
        var found: [(path: String, samples: Int)] = []
        for path in paths {
            let set = try await SampleSetFile.describe(path)
            let models = Set(set.lineage.filter { $0.allSites.contains(site) }.map(\.model))
            let samples = set.runs.filter { models.contains($0.model) }.reduce(0) { $0 + $1.samples }
            if samples > 0 { found.append((path, samples)) }
        }
        return found
    }
}
