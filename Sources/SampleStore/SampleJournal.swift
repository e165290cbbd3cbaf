import Cohorts
import Files
import Foundation

/// One sample in a journal: everything but its pixels.
struct JournalSample: Codable, Hashable {
    var cohort: Cohort
    var requests: [String: Float]
    /// See `SampleRecord.asked`.
    var asked: String?
    var seed: UInt64
    var index: UInt64
    var siteWeights: [Float]
    /// SHA-256 of the pixels, hexadecimal.
    var digest: String
    /// Length of the chunk that holds the pixels, in bytes.
    var chunkLength: Int
    /// See `SampleRecord.original`.
    var original: Int?
    /// Lengths of the chunks of the sample's structure maps, which follow the pixels; nil where the set has no maps.
    var mapLengths: [Int]?

    /// Lengths of all chunks of the sample.
    var lengths: [Int] { [chunkLength] + (mapLengths ?? []) }
}

/// Samples that were made together.
struct JournalBatch: Codable, Hashable {
    /// The row of the first sample.
    var first: Int
    /// An index into the unfinished set's runs.
    var run: Int
    /// When the samples were done.
    var finished: Date
    /// SHA-256 of the samples' chunks, hexadecimal.
    var chunkDigest: String
    var samples: [JournalSample]

    var rows: Range<Int> { first..<first + samples.count }
}

/// Batches of samples in the order in which they come. Each batch is on the disk before the next begins, so that a
/// killed process or a power failure loses only the batch in work.
///
/// `samples.journal` holds one frame for each batch: `FVB1`, the length of the JSON (uint32, little-endian), the JSON
/// of `JournalBatch`, and its SHA-256. `pixels-<part>.journal` holds the chunks of the rows of one part, one after the
/// other: each row's pixels, then its maps.
final class SampleJournal {
    private let folder: String
    /// The path of the output, which errors name.
    private let place: String
    /// The number of rows in a part; nil where all rows are one part.
    let partRows: Int?
    private let file: FileHandle
    private var pixels: (part: Int, file: FileHandle)?
    /// Where each frame begins, and its batch's first row.
    private var frames: [(offset: UInt64, first: Int)] = []
    private var end: UInt64 = 0
    /// The number of bytes in the part that is being filled.
    private var partBytes: UInt64 = 0
    /// The number of rows in the journal.
    private(set) var rowCount = 0
    /// The names that the samples use, for each open attribute.
    private(set) var openNames: [String: Set<String>] = [:]

    /// The joined requests of the samples.
    private(set) var joinedRequests: Set<String> = []
    /// Whether any of the samples is a counterfactual.
    private(set) var hasCounterfactuals = false

    private static let magic = Data("FVB1".utf8)
    private static let name = "samples.journal"

    /// Opens the journal in `folder`, and cuts off a batch at its end that is not whole.
    /// - Parameter isPacked: whether the pixels of a part have already been packed into a shard.
    init(folder: String, partRows: Int?, place: String, isPacked: (Int) -> Bool) throws {
        self.folder = folder
        self.partRows = partRows
        self.place = place
        file = try SampleJournal.open("\(folder)/\(SampleJournal.name)", place)
        var lastPart = -1
        while let (batch, length) = try frame(at: end) {
            let part = part(of: batch.first)
            if part != lastPart { partBytes = 0 }
            let bytes = batch.samples.reduce(0) { $0 + $1.lengths.reduce(0, +) }
            guard batch.first == rowCount, try isPacked(part) || holds(batch, part: part, bytes: bytes) else { break }
            lastPart = part
            add(batch, length: length, bytes: bytes)
        }
        try writing { try file.truncate(atOffset: end) }
        if rowCount > 0, part(of: rowCount) != lastPart { partBytes = 0 }
    }

    deinit {
        try? file.close()
        try? pixels?.file.close()
    }

    private func part(of row: Int) -> Int { partRows.map { row / $0 } ?? 0 }

    func pixelPath(_ part: Int) -> String { "\(folder)/pixels-\(part).journal" }

    /// How many more rows fit into the part that is being filled.
    var room: Int { partRows.map { $0 - rowCount % $0 } ?? .max }

    /// Adds a batch, which must lie in one part, and waits until it is on the disk.
    /// - Parameter chunks: the chunks of each sample: its pixels, then its maps.
    func append(_ samples: [JournalSample], chunks: [[[UInt8]]], run: Int, finished: Date) throws {
        let part = part(of: rowCount), chunks = chunks.flatMap { $0 }
        var digest = DigestBuilder()
        for chunk in chunks { digest.update(chunk) }
        let batch = JournalBatch(
            first: rowCount, run: run, finished: finished, chunkDigest: digest.finalize().description, samples: samples)
        let target = try pixelFile(part)
        try writing {
            // This removes the pixels of a batch that was cut off or could not be written to its end.
            try target.truncate(atOffset: partBytes)
            try target.seek(toOffset: partBytes)
            for chunk in chunks { try target.write(contentsOf: chunk) }
            try target.synchronize()
        }
        let json = try JSONEncoder().encode(batch)
        var frame = SampleJournal.magic
        withUnsafeBytes(of: UInt32(json.count).littleEndian) { frame.append(contentsOf: $0) }
        frame.append(json)
        frame.append(contentsOf: Digest(of: json).bytes)
        try writing {
            try file.seek(toOffset: end)
            try file.write(contentsOf: frame)
            try file.synchronize()
        }
        add(batch, length: UInt64(frame.count), bytes: chunks.reduce(0) { $0 + $1.count })
        if let partRows, rowCount % partRows == 0 { partBytes = 0 }
    }

    private func add(_ batch: JournalBatch, length: UInt64, bytes: Int) {
        frames.append((end, batch.first))
        end += length
        partBytes += UInt64(bytes)
        rowCount = batch.rows.upperBound
        for sample in batch.samples {
            if let asked = sample.asked { joinedRequests.insert(asked) }
            if sample.original != nil { hasCounterfactuals = true }
            for (name, value) in sample.cohort.values
            where value != "unknown" && CohortSchema.attribute(name)?.isOpen == true {
                openNames[name, default: []].insert(value)
            }
        }
    }

    /// Calls `body` with every batch of one part, or of all parts, in order.
    func forEachBatch(part wanted: Int? = nil, _ body: (JournalBatch) throws -> Void) throws {
        for (offset, first) in frames where wanted == nil || part(of: first) == wanted {
            guard let (batch, _) = try frame(at: offset) else {
                throw Failure(.readOrWriteFailed, place, "a batch of the journal in \(folder) can no longer be read")
            }
            try body(batch)
        }
    }

    /// Calls `body` with the chunks of every row of a part, in order.
    func forEachChunk(part: Int, _ body: (_ row: Int, _ chunks: [[UInt8]]) throws -> Void) throws {
        let source = try SampleJournal.open(pixelPath(part), place)
        defer { try? source.close() }
        try forEachBatch(part: part) { batch in
            for (row, sample) in zip(batch.rows, batch.samples) {
                let chunks = try sample.lengths.map { length in
                    let chunk = try reading { try source.read(upToCount: length) } ?? Data()
                    guard chunk.count == length else {
                        throw Failure(
                            .readOrWriteFailed, place, "row \(row) of the journal in \(folder) can no longer be read")
                    }
                    return Array(chunk)
                }
                try body(row, chunks)
            }
        }
    }

    func removePixels(_ part: Int) {
        if pixels?.part == part { pixels = nil }
        unlink(pixelPath(part))
    }

    // MARK: - Bytes

    private func pixelFile(_ part: Int) throws -> FileHandle {
        if let pixels, pixels.part == part { return pixels.file }
        let file = try SampleJournal.open(pixelPath(part), place)
        pixels = (part, file)
        return file
    }

    private static func open(_ path: String, _ place: String) throws -> FileHandle {
        let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw StagedFile.failure(place) }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// The frame at `offset` and its length; nil where there is no whole frame.
    private func frame(at offset: UInt64) throws -> (batch: JournalBatch, length: UInt64)? {
        try reading {
            try file.seek(toOffset: offset)
            guard let head = try file.read(upToCount: 8), head.count == 8, head.prefix(4) == SampleJournal.magic else {
                return nil
            }
            let length = head.suffix(4).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
            guard let rest = try file.read(upToCount: length + 32), rest.count == length + 32 else { return nil }
            let json = rest.prefix(length)
            guard Array(rest.suffix(32)) == Digest(of: json).bytes,
                let batch = try? JSONDecoder().decode(JournalBatch.self, from: json)
            else { return nil }
            return (batch, UInt64(length) + 40)
        }
    }

    /// Whether the pixel file holds the chunks of a batch as they were written.
    private func holds(_ batch: JournalBatch, part: Int, bytes: Int) throws -> Bool {
        let source = try pixelFile(part)
        return try reading {
            try source.seek(toOffset: partBytes)
            guard let chunks = try source.read(upToCount: bytes), chunks.count == bytes else { return false }
            return Digest(of: chunks).description == batch.chunkDigest
        }
    }

    private func reading<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let failure as Failure { throw failure } catch {
            throw StagedFile.failure(place, error, "read")
        }
    }

    private func writing(_ body: () throws -> Void) throws {
        do { try body() } catch { throw StagedFile.failure(place, error) }
    }
}
