import DICOMFiles
import Files
import Foundation
import Pictures
import RetinalMatching
import Synchronization
import TensorCore

/// Where an import keeps what it has read until the data set is written: in files without a name, or in a folder in
/// which a later import can go on.
final class ImportWorkspace: Sendable {
    /// The cropped photographs, [size, size, 3], each in its slot.
    let pictures: PixelSpool
    /// The vessel fields.
    let vessels: PixelSpool
    /// The signatures by which copies are found.
    let details: PixelSpool
    private let journal: ImportJournal?

    /// Keeps everything in files that disappear with the process.
    /// - Parameter folder: a folder on a disk with enough room; nil for the temporary folder.
    /// - Throws: `Failure(.cannotCreateOutput)`.
    init(temporaryIn folder: String?, size: Int) throws {
        pictures = try PixelSpool(folder: folder, byteCount: size * size * 3)
        vessels = try PixelSpool(folder: folder, byteCount: VesselField.byteCount)
        details = try PixelSpool(folder: folder, byteCount: DetailSignature.byteCount)
        journal = nil
    }

    /// Keeps everything in `folder`, and goes on with what it holds.
    /// - Throws: `Failure`: `.cannotCreateOutput`, `.readOrWriteFailed`.
    init(in folder: String, size: Int) throws {
        pictures = try PixelSpool(path: "\(folder)/pictures", byteCount: size * size * 3)
        vessels = try PixelSpool(path: "\(folder)/vessels", byteCount: VesselField.byteCount)
        details = try PixelSpool(path: "\(folder)/details", byteCount: DetailSignature.byteCount)
        journal = try ImportJournal(in: folder)
    }

    /// What is kept where an import is stopped.
    static let advice = "no dataset was written"

    /// The names of the files that an import keeps in its folder.
    static let names: Set<String> = ["pictures", "vessels", "details", ImportJournal.readings, ImportJournal.pairs]

    /// What was found in an earlier process of each photograph that has not changed since, with its slot.
    func earlier(_ files: [String], in folder: PhotographFolder) -> [ReadPhotograph?] {
        guard let journal else { return files.map { _ in nil } }
        // After a power cut, a file may be shorter than the journal says.
        let whole = [pictures, vessels, details].map(\.count).min() ?? 0
        return files.map { file in
            guard let entry = journal.entries[Array(file.utf8)], entry.version == FileVersion(folder.path(of: file)),
                entry.photograph.reading == nil || entry.photograph.slot < whole
            else { return nil }
            return entry.photograph
        }
    }

    /// The first slot that is free.
    var firstFreeSlot: Int { journal?.firstFreeSlot ?? 0 }

    /// Keeps what was read of a photograph for later processes.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    func keep(_ photograph: ReadPhotograph, of file: String, _ version: FileVersion?) throws {
        guard let journal, let version else { return }
        try journal.add(.init(file: file, version: version, photograph: photograph)) { try self.synchronize() }
    }

    /// Writes what `keep` still holds back.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    func finishReading() throws { try journal?.flush { try self.synchronize() } }

    /// Copies the pictures of a data set into the workspace, behind everything else. Reads their details and vessels as
    /// far as pictures of that size show them.
    /// - Parameter first: the first slot.
    func take(_ base: BaseDataset, from first: Int) throws -> [ReadPhotograph] {
        var taken: [ReadPhotograph] = []
        for start in stride(from: 0, to: base.records.count, by: 64) {
            try Cancellation.check(ImportWorkspace.advice)
            let rows = start..<min(start + 64, base.records.count)
            let failure = Mutex<(any Error)?>(nil)
            parallelFor(rows.count) { offset in
                let row = start + offset
                do {
                    try take(
                        try base.pictures.read(row), base.records[row].fieldOfView, size: base.size, slot: first + row)
                } catch {
                    failure.withLock { $0 = error }
                }
            }
            if let failure = failure.withLock({ $0 }) { throw failure }
            taken += rows.map { row in
                let record = base.records[row]
                return ReadPhotograph(
                    slot: first + row,
                    reading: PhotographReader.Reading(
                        fieldOfView: record.fieldOfView, digest: record.source ?? record.digest, pixelCount: .max,
                        isColour: true,
                        isSynthetic: false, header: nil, notes: [], figures: nil))
            }
        }
        return taken
    }

    private func take(_ pixels: [UInt8], _ view: FieldOfView, size: Int, slot: Int) throws {
        try pictures.write(pixels, at: slot)
        let picture = Picture(width: size, height: size, pixels: pixels)
        let crop = FundusCrop(picture, fieldOfView: view, size: DetailSignature.side)
        try details.write(DetailSignature(crop).bytes, at: slot)
        try vessels.write(VesselField(picture).bytes, at: slot)
    }

    private func synchronize() throws {
        for spool in [pictures, vessels, details] { try spool.synchronize() }
    }

    /// Pairs of photographs of one eye that an earlier process found.
    /// - Parameter key: what the search depends on.
    func earlierPairs(for key: Digest) throws -> ImportJournal.Pairs { try journal?.pairs(for: key) ?? .init() }

    /// Keeps the pairs of some photographs.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    func keep(_ pairs: [EyeFinder.Pair], upTo done: Int) throws { try journal?.add(pairs, upTo: done) }
}

/// What tells whether a file has changed since it was read.
struct FileVersion: Codable, Hashable {
    let size: Int64
    /// In nanoseconds.
    let modified: Int64

    init?(_ path: RawPath) {
        var status = stat()
        guard path.withCString({ stat($0, &status) }) == 0 else { return nil }
        size = Int64(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }
}

/// What an import did with one photograph.
struct ReadPhotograph: Codable, Sendable {
    /// The place of its picture, vessels and details in the workspace.
    let slot: Int
    /// What was read; nil if the photograph is refused.
    var reading: PhotographReader.Reading?
    /// Why the photograph is refused.
    var refusal: String?
}

/// A list of what was read, and of pairs that were found, in files that outlive the process. Each line is whole or is
/// not there: what a killed process left of a line is cut off.
final class ImportJournal: Sendable {
    static let readings = "readings.jsonl", pairs = "pairs.jsonl"

    struct Entry: Codable {
        let file: String
        let version: FileVersion
        let photograph: ReadPhotograph
    }

    /// Pairs of all photographs up to `done`.
    struct Pairs {
        var found: [EyeFinder.Pair] = []
        var done = 0
    }

    private struct PairsLine: Codable {
        /// What the search depends on; only in the first line.
        var key: String?
        var done: Int
        var pairs: [EyeFinder.Pair]
    }

    /// What earlier processes read, by the bytes of the photograph's name: Swift takes texts for equal that differ in
    /// their Unicode form alone.
    let entries: [[UInt8]: Entry]
    let firstFreeSlot: Int
    private let lines: LineFile
    private let pairLines: LineFile
    private let waiting = Mutex<(lines: [Data], since: ContinuousClock.Instant)>(([], .now))
    /// How long what was read may stay in memory.
    private static let delay = Duration.seconds(5)

    init(in folder: String) throws {
        lines = try LineFile("\(folder)/\(ImportJournal.readings)")
        pairLines = try LineFile("\(folder)/\(ImportJournal.pairs)")
        var entries: [[UInt8]: Entry] = [:], firstFreeSlot = 0
        try lines.keep { line in
            guard let entry = try? JSONDecoder().decode(Entry.self, from: line) else { return false }
            entries[Array(entry.file.utf8)] = entry
            firstFreeSlot = max(firstFreeSlot, entry.photograph.slot + 1)
            return true
        }
        (self.entries, self.firstFreeSlot) = (entries, firstFreeSlot)
    }

    /// Whether an import in `folder` read a photograph that can be used.
    static func holdsPhotographs(_ folder: String) -> Bool {
        guard let content = FileManager.default.contents(atPath: "\(folder)/\(readings)") else { return false }
        return content.split(separator: UInt8(ascii: "\n")).contains {
            (try? JSONDecoder().decode(Entry.self, from: $0))?.photograph.reading != nil
        }
    }

    /// - Parameter synchronize: waits until the pictures are on the disk.
    func add(_ entry: Entry, synchronize: () throws -> Void) throws {
        let line = try JSONEncoder().encode(entry)
        let isDue = waiting.withLock { waiting in
            waiting.lines.append(line)
            return waiting.since.duration(to: .now) > ImportJournal.delay
        }
        if isDue { try flush(synchronize: synchronize) }
    }

    func flush(synchronize: () throws -> Void) throws {
        let due = waiting.withLock { waiting in
            defer { waiting = ([], .now) }
            return waiting.lines
        }
        if due.isEmpty { return }
        // A line says that the picture is there, so the pictures are written first.
        try synchronize()
        try lines.append(due)
    }

    func pairs(for key: Digest) throws -> Pairs {
        var result = Pairs(), isFirst = true
        try pairLines.keep { line in
            guard let line = try? JSONDecoder().decode(PairsLine.self, from: line) else { return false }
            if isFirst, line.key != key.description { return false }
            isFirst = false
            result.found += line.pairs
            result.done = line.done
            return true
        }
        if isFirst { try pairLines.append([JSONEncoder().encode(PairsLine(key: key.description, done: 0, pairs: []))]) }
        return result
    }

    func add(_ pairs: [EyeFinder.Pair], upTo done: Int) throws {
        try pairLines.append([JSONEncoder().encode(PairsLine(done: done, pairs: pairs))])
    }
}

/// A private file of lines, to which lines are added.
private final class LineFile: Sendable {
    private let path: String
    private let file: Mutex<Int32>

    init(_ path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StagedFile.failure(path) }
        self.path = path
        file = Mutex(descriptor)
    }

    deinit { file.withLock { _ = close($0) } }

    /// Reads the lines for as long as `isWanted`, and cuts off the rest.
    func keep(while isWanted: (Data) -> Bool) throws {
        guard let content = FileManager.default.contents(atPath: path) else { throw StagedFile.failure(path) }
        var kept = content.startIndex
        while let end = content[kept...].firstIndex(of: UInt8(ascii: "\n")), isWanted(content[kept..<end]) {
            kept = content.index(after: end)
        }
        guard kept < content.endIndex else { return }
        try file.withLock { descriptor in
            if ftruncate(descriptor, off_t(kept - content.startIndex)) != 0 { throw StagedFile.failure(path) }
        }
    }

    /// Adds lines, and waits until they are on the disk.
    func append(_ lines: [Data]) throws {
        let text = lines.reduce(into: Data()) { $0 += $1 + [UInt8(ascii: "\n")] }
        try file.withLock { descriptor in
            try text.withUnsafeBytes { bytes in
                var done = 0
                while done < bytes.count {
                    let count = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { throw StagedFile.failure(path) }
                    done += count
                }
            }
            guard fdatasync(descriptor) == 0 else { throw StagedFile.failure(path) }
        }
    }
}
