import Cohorts
import Files
import Foundation
import HDF5Files
import PictureFiles

/// Writes a sample set (kind `fovea.samples`). The set is whole under its final name after `finish`, and absent before.
/// Rows keep the order in which they are appended.
///
/// Until `finish`, the samples are in a journal in `S.h5.unfinished`; each batch is on the disk before `append`
/// returns. Another writer of the same set can go on where this writer ended, even where its process was killed. Memory
/// does not depend on the number of samples.
public final class SampleSetWriter {
    private let path: String
    private let folder: UnfinishedFolder
    private var set: UnfinishedSet
    private let run: Int
    private let journal: SampleJournal
    private let threads: Int

    /// How a set is written.
    public struct Options: Sendable {
        /// Go on with what an earlier writer of the same set left, if it left anything.
        public var resume = false
        /// Replace an output that exists, and discard what an unfinished run left.
        public var force = false
        /// zlib's level, 1 to 9; 0 does not compress.
        public var deflate = 1
        /// The number of samples in each shard; nil writes one file.
        public var shardRows: Int?
        /// The number of threads that compress.
        public var threads = 1

        public init(
            resume: Bool = false, force: Bool = false, deflate: Int = 1, shardRows: Int? = nil, threads: Int = 1
        ) {
            self.resume = resume
            self.force = force
            self.deflate = deflate
            self.shardRows = shardRows
            self.threads = threads
        }
    }

    /// Begins a set, or goes on with an unfinished set.
    /// - Parameters:
    ///   - siteNames: the sites of `SampleRecord.siteWeights`, in the same order.
    ///   - structures: names of the structure maps that come with each sample.
    ///   - openNames: names of each open attribute (camera, ethnicity, site) in the model's order. Other names that
    ///     samples use follow them, sorted.
    ///   - created: the root attribute of that name, stored in whole seconds.
    ///   - release: the audit and the statement that make this a released set; nil for a set that is not released.
    /// - Throws: `Failure(.cannotCreateOutput)` where the output cannot be written or another process writes the same
    ///   set; `Failure(.badData)` where the model's or the schedule's text is not JSON, a site occurs twice, or the
    ///   unfinished set is damaged; `Failure(.usage)` where the unfinished set was begun with other settings.
    public init(
        path: String, width: Int, height: Int, run: RunRecord, model: ModelRecord, terms: Terms,
        siteNames: [String] = [],
        structures: [String] = [],
        openNames: [String: [String]] = [:], created: Date = Date(), release: ReleaseRecord? = nil,
        options: Options = Options()
    ) throws {
        guard width > 0, height > 0 else { fatalError("pictures of \(width) x \(height) pixels") }
        guard run.modelDigest == model.digest else {
            fatalError("a run of \(run.modelDigest) with the model \(model.digest)")
        }
        for (what, json) in [
            ("manifest", model.manifestJSON), ("lineage", model.lineageJSON), ("PROV", model.provJSON),
            ("schedule", run.schedule),
        ] where (try? JSONSerialization.jsonObject(with: Data(json.utf8))) == nil {
            throw Failure(.badData, path, field: what, expected: "JSON", found: "\(json.prefix(40).debugDescription)")
        }
        guard Set(siteNames).count == siteNames.count else {
            throw Failure(
                .badData, path, field: "site names", expected: "each once", found: siteNames.joined(separator: ", "))
        }
        let wanted = UnfinishedSet(
            width: width, height: height, deflate: options.deflate, shardRows: options.shardRows, created: created,
            terms: terms,
            siteNames: siteNames, structures: structures, openNames: openNames, model: model, run: run,
            replaces: options.force, release: release)
        self.path = path
        threads = options.threads
        // A folder is taken only where the output could be written.
        try StagedFile.requireWritable(path, force: options.force || options.resume)
        folder = try UnfinishedFolder(for: path)
        set = try SampleSetWriter.begin(wanted, in: folder, path: path, options: options)
        self.run = set.number(of: run)
        try SampleSetWriter.takeBackShards(of: set, folder, path: path)
        set.named = []
        try set.write(to: folder)
        let folder = folder
        journal = try SampleJournal(folder: folder.path, partRows: set.shardRows, place: path) {
            FileManager.default.fileExists(atPath: SampleSetWriter.shardPath($0, in: folder))
        }
    }

    /// Removes the content of the unfinished folder where no sample was made.
    deinit {
        if count == 0 { try? folder.clear(first: UnfinishedSet.name, where: SampleSetWriter.isOwn) }
    }

    /// The unfinished set to go on with, or `wanted` in an empty folder.
    private static func begin(
        _ wanted: UnfinishedSet, in folder: UnfinishedFolder, path: String, options: Options
    ) throws -> UnfinishedSet {
        let isThere = FileManager.default.fileExists(atPath: folder.file(UnfinishedSet.name))
        guard isThere, options.resume else {
            guard !isThere || options.force else {
                throw Failure(
                    .cannotCreateOutput, folder.path, "holds a run that was not finished", remedy: .resumeOrDiscard)
            }
            if !options.force { try StagedFile.requireWritable(path, force: false) }
            try folder.clear(first: UnfinishedSet.name, where: isOwn)
            return wanted
        }
        var found = try UnfinishedSet(in: folder)
        found.replaces = found.replaces || options.force
        if let (field, began, asked) = found.difference(to: wanted) {
            throw Failure(
                .usage, folder.path, field: field, expected: "\(began), with which the run began", found: asked)
        }
        if !found.replaces { try StagedFile.requireWritable(path, force: false) }
        return found
    }

    /// Moves shards back to which a killed writer had already given their final names. The number of shards, which is
    /// part of these names, may grow.
    private static func takeBackShards(of set: UnfinishedSet, _ folder: UnfinishedFolder, path: String) throws {
        for (number, name) in set.named.enumerated() {
            let source = shardPath(number, in: folder), named = Shard.path(name, beside: path)
            guard RegularFile.exists(named) else { continue }
            // The last shard may not be full. Its pixels are still in the journal.
            if !set.isFull[number] {
                unlink(named)
            } else if !RegularFile.exists(source) {
                try StagedFile.move(named, to: source)
            }
        }
    }

    /// Removes the folder that a writer left where it was killed after it had given the set its name.
    ///
    /// - Parameter file: the finished set. An unfinished folder of another run is kept.
    /// - Throws: `Failure(.cannotCreateOutput)` where the folder holds another run, or another process holds it;
    ///   `Failure(.badData)` where it is damaged; `Failure(.readOrWriteFailed)`.
    public static func removeLeftovers(of file: SampleSetFile) throws {
        guard FileManager.default.fileExists(atPath: UnfinishedFolder.path(for: file.path)) else { return }
        let folder = try UnfinishedFolder(for: file.path)
        if RegularFile.exists(folder.file(UnfinishedSet.name)) {
            let set = try UnfinishedSet(in: folder)
            let journal = try SampleJournal(folder: folder.path, partRows: set.shardRows, place: file.path) { _ in true
            }
            var digests: [String] = []
            try journal.forEachBatch { digests += $0.samples.map(\.digest) }
            guard digests == file.digests.map(\.description) else {
                throw Failure(
                    .cannotCreateOutput, folder.path, "holds another run that was not finished; this one is complete",
                    remedy: .discard)
            }
        }
        try folder.remove(first: UnfinishedSet.name, where: isOwn)
    }

    /// Whether a writer of sample sets makes files of this name in the folder of an unfinished output.
    private static func isOwn(_ name: String) -> Bool {
        name == UnfinishedSet.name || name.hasSuffix(".journal") || name.hasPrefix("shard-")
            || name.hasPrefix("packed.h5")
    }

    /// The number of samples that have been appended, by earlier writers of the same set, too.
    public var count: Int { journal.rowCount }

    private static func shardPath(_ number: Int, in folder: UnfinishedFolder) -> String {
        folder.file("shard-\(number).h5")
    }

    /// Calls `body` with every sample that has been appended, in order.
    /// - Parameter body: is given the row, the cohort, the ordinal requests, the seed, the index, and the text of the
    ///   joined request.
    /// - Throws: `Failure(.readOrWriteFailed)` where the journal cannot be read, and what `body` throws.
    public func forEachSample(_ body: (Int, Cohort, [String: Float], UInt64, UInt64, String?) throws -> Void) throws {
        try journal.forEachBatch { batch in
            for (row, sample) in zip(batch.rows, batch.samples) {
                try body(row, sample.cohort, sample.requests, sample.seed, sample.index, sample.asked)
            }
        }
    }

    /// Appends a batch, which is on the disk when this returns.
    /// - Parameter finished: when the batch was made.
    /// - Throws: `Failure(.badData)` where a cohort or a request is not in the schema; `Failure(.readOrWriteFailed)`.
    public func append(_ samples: [SampleRecord], finished: Date = Date()) async throws {
        for (offset, sample) in samples.enumerated() {
            guard sample.pixels.count == set.height * set.width * 3 else {
                fatalError("a sample of \(sample.pixels.count) bytes in a set of \(set.height) x \(set.width) x 3")
            }
            guard sample.siteWeights.count == set.siteNames.count else {
                fatalError("\(sample.siteWeights.count) site weights for \(set.siteNames.count) sites")
            }
            guard sample.maps.count == set.structures?.count ?? 0,
                sample.maps.allSatisfy({ $0.count == set.height * set.width })
            else {
                fatalError(
                    """
                    \(sample.maps.map(\.count)) bytes of maps for \(set.structures ?? []) of \(set.height) x \
                    \(set.width)
                    """
                )
            }
            if let original = sample.original, original >= count + offset {
                fatalError("row \(count + offset) as the counterfactual of row \(original), which is not before it")
            }
            try sample.requireSchema(row: count + offset, file: path)
        }
        var rest = samples[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(journal.room))
            rest = rest.dropFirst(batch.count)
            let encoded = encode(batch)
            try journal.append(encoded.map(\.sample), chunks: encoded.map(\.chunks), run: run, finished: finished)
            if let shardRows = set.shardRows, count % shardRows == 0 {
                try await packShard(count / shardRows - 1, rows: shardRows)
            }
        }
    }

    /// Computes digests and compressed chunks on several threads.
    private func encode(_ samples: [SampleRecord]) -> [(sample: JournalSample, chunks: [[UInt8]])] {
        let storage = set.storage, workers = min(threads, samples.count)
        return [(sample: JournalSample, chunks: [[UInt8]])?](unsafeUninitializedCapacity: samples.count) {
            buffer, initialized in
            buffer.initialize(repeating: nil)
            nonisolated(unsafe) let results = buffer
            DispatchQueue.concurrentPerform(iterations: workers) { worker in
                for index in stride(from: worker, to: samples.count, by: workers) {
                    let sample = samples[index], chunks = ([sample.pixels] + sample.maps).map { storage.encoded($0) }
                    results[index] = (
                        JournalSample(
                            cohort: sample.cohort, requests: sample.requests, asked: sample.asked, seed: sample.seed,
                            index: sample.index, siteWeights: sample.siteWeights,
                            digest: Digest(of: sample.pixels).description,
                            chunkLength: chunks[0].count, original: sample.original,
                            mapLengths: sample.maps.isEmpty ? nil : chunks.dropFirst().map(\.count)),
                        chunks
                    )
                }
            }
            initialized = samples.count
        }.compactMap { $0 }
    }

    /// Packs a full part into a shard, and removes its pixels from the journal.
    private func packShard(_ number: Int, rows: Int) async throws {
        let target = SampleSetWriter.shardPath(number, in: folder)
        if !RegularFile.exists(target) {
            try await pack { try $0.write(part: number, rows: number * rows..<(number + 1) * rows, to: target) }
        }
        journal.removePixels(number)
    }

    private func pack(_ body: @escaping @HDF5Actor (SampleSetPacking) throws -> Void) async throws {
        // Nothing else uses the journal until this call returns.
        nonisolated(unsafe) let journal = journal
        try await Task { @HDF5Actor [set, path] in
            try body(SampleSetPacking(set: set, journal: journal, place: path))
        }.value
    }

    /// Packs the samples, seals the file and gives it its name.
    /// - Throws: `Failure(.badData)` where there is no sample; `Failure(.readOrWriteFailed)`.
    public func finish() async throws {
        guard count > 0 else { throw Failure(.badData, path, "there is no sample to write") }
        let packed = folder.file("packed.h5")
        guard let shardRows = set.shardRows else {
            let rows = 0..<count
            try await pack { try $0.write(part: 0, rows: rows, to: packed) }
            return try await publish(packed, shards: [])
        }
        var shards: [(shard: Shard, path: String)] = []
        let total = (count + shardRows - 1) / shardRows
        for number in 0..<total {
            let rows = number * shardRows..<min(count, (number + 1) * shardRows)
            var source = SampleSetWriter.shardPath(number, in: folder)
            if rows.count == shardRows {
                try await packShard(number, rows: shardRows)
            } else {
                // This shard gets another name, and its pixels stay in the journal: a later run may fill it.
                source = folder.file("shard-\(number)-part.h5")
                try await pack { [source] in try $0.write(part: number, rows: rows, to: source) }
            }
            let digest = try Digest(ofFile: source)
            shards.append(
                (
                    Shard(
                        name: Shard.name(of: path, number: number, count: total, digest: digest), samples: rows.count,
                        digest: digest), source
                ))
        }
        try await pack { [table = shards.map(\.shard)] in try $0.write(shards: table, to: packed) }
        try await publish(packed, shards: shards)
    }

    /// Gives the shards and then the set their final names. A shard's name holds its digest, so that the shards of a
    /// set that is being replaced stay whole until the new set has its name.
    private func publish(_ packed: String, shards: [(shard: Shard, path: String)]) async throws {
        let before = await PictureStore.names(ofShardsOf: path)
        set.named = shards.map(\.shard.name)
        set.isFull = shards.map { $0.shard.samples == set.shardRows }
        try set.write(to: folder)
        for (shard, source) in shards { try StagedFile.move(source, to: Shard.path(shard.name, beside: path)) }
        try StagedFile.move(packed, to: path)
        FileProbe.noteOwn(path)
        for name in before where !set.named.contains(name) { unlink(Shard.path(name, beside: path)) }
        try folder.remove(first: UnfinishedSet.name, where: SampleSetWriter.isOwn)
    }
}

extension SampleRecord {
    /// Refuses cohorts and requests that are not in the schema.
    fileprivate func requireSchema(row: Int, file: String) throws {
        try CohortSchema.require(cohort, row: row, file: file)
        for (name, value) in requests {
            guard let (_, highest) = SampleColumns.ordinals.first(where: { $0.attribute.name == name }) else {
                throw Failure(
                    .badData, file, field: "request of row \(row)", expected: "an ordinal attribute", found: name)
            }
            guard value >= 0, value <= Float(highest) else {
                throw Failure(
                    .badData, file, field: "\(name) of row \(row)", expected: "0 to \(highest)", found: "\(value)")
            }
        }
    }
}
