import Cohorts
import Datasets
import Files
import Foundation
import Importing
import PictureFiles
import Pictures
import SampleStore

/// Pictures that are audited, or photographs that they are audited against: a sample set, a data set, or a plain folder
/// of pictures of any origin.
package struct AuditSource: Sendable {
    package enum Content: Sendable {
        case samples(SampleSetFile)
        case dataset(DatasetFile)
        case folder(PhotographFolder)
    }

    package let path: String
    package let content: Content
    /// A digest of the content: the content digest of a sample set; for a data set or a folder, SHA-256 over the
    /// digests of the pictures or files.
    package let digest: Digest

    /// Opens a file or folder.
    /// - Throws: `Failure(.noSuchInput)`; `Failure(.badData)` where a file is damaged or not a picture, and never
    ///   `Failure(.checkFailed)`, which stands for a verdict; `Failure(.readOrWriteFailed)`.
    package init(_ path: String) async throws {
        do {
            try await self.init(opening: path)
        } catch let failure as Failure where failure.kind == .checkFailed {
            throw Failure(.badData, failure.place, option: failure.option, failure.sentence, remedy: failure.remedy)
        }
    }

    private init(opening path: String) async throws {
        self.path = path
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(.noSuchInput, path, "does not exist")
        }
        if isFolder.boolValue {
            let folder = try PhotographFolder(path)
            // An audit says something about all pictures, so that nothing may be left out without a word.
            if let left = folder.unsearched.first {
                throw Failure(.readOrWriteFailed, "\(path)/\(left.file)", left.reason)
            }
            content = .folder(folder)
            var builder = DigestBuilder()
            for name in folder.photographs {
                builder.update(Array(name.utf8) + [0])
                builder.update(try Digest(of: PictureFile.read(folder.path(of: name))).bytes)
            }
            digest = builder.finalize()
        } else if case .sampleSet = try FileSort(contentsOf: path) {
            content = .samples(try await SampleSetFile.open(path))
            digest = try await SampleSetFile.contentDigest(path)
        } else {
            let file = try await DatasetFile.open(path)
            content = .dataset(file)
            digest = Digest(of: file.digests.flatMap(\.bytes))
        }
    }

    /// The number of pictures.
    package var count: Int {
        switch content {
        case .samples(let file): file.count
        case .dataset(let file): file.count
        case .folder(let folder): folder.photographs.count
        }
    }

    /// The width and height of the pictures; nil for a folder, whose pictures may have any size.
    package var size: Int? {
        switch content {
        case .samples(let file): file.width
        case .dataset(let file): file.size
        case .folder: nil
        }
    }

    /// The rows of one split of a data set. All rows of a sample set or a folder, which have no splits.
    package func rows(of split: Split) -> [Int] {
        if case .dataset(let file) = content { return file.rows(of: split) }
        return Array(0..<count)
    }

    /// A key for the patient of a picture. Each sample and each picture of a folder counts as a patient of its own.
    package func patient(_ row: Int) -> String {
        if case .dataset(let file) = content { return file.patients[row] }
        return "\(row)"
    }

    /// SHA-256 of a picture's pixels as they are stored; nil in a folder, where nothing says it.
    package func pixelDigest(_ row: Int) -> Digest? {
        switch content {
        case .samples(let file): file.digests[row]
        case .dataset(let file): file.digests[row]
        case .folder: nil
        }
    }

    /// The known attributes of a picture.
    package func cohort(_ row: Int) -> [String: String] {
        switch content {
        case .samples(let file): file.cohort(row: row).values.filter { $0.value != "unknown" }
        case .dataset(let file): file.cohort(row: row).values.filter { $0.value != "unknown" }
        case .folder: [:]
        }
    }

    /// The name of a picture for people. It may be written to `private/` alone.
    package func name(_ row: Int) -> String {
        if case .folder(let folder) = content { return folder.photographs[row] }
        return "row \(row)"
    }

    /// The pictures of `rows` at a size, with patients numbered in order of appearance.
    /// - Throws: `Failure(.badData)` where pictures are not square or cannot be read; `Failure(.interrupted)`.
    package func pictures(_ rows: [Int], size: Int) async throws -> PictureSet {
        var numbers: [String: Int] = [:]
        let patients = rows.map { row in
            let key = patient(row), number = numbers[key] ?? numbers.count
            numbers[key] = number
            return number
        }
        var pixels: [UInt8] = []
        pixels.reserveCapacity(rows.count * size * size * 3)
        switch content {
        case .folder(let folder):
            for picture in try AuditedFolder.read(rows.map { folder.photographs[$0] }, of: folder, size: size) {
                pixels += picture.pixels
            }
        case .samples(let file):
            guard file.width == file.height else {
                throw Failure(
                    .badData, path, field: "/images shape", expected: "square pictures",
                    found: "\(file.height) x \(file.width)")
            }
            try await append(rows, side: file.width, size: size, to: &pixels) { try await file.images(rows: $0) }
        case .dataset(let file):
            try await append(rows, side: file.size, size: size, to: &pixels) { try await file.images(rows: $0) }
        }
        return PictureSet(size: size, pixels: pixels, patients: patients)
    }

    /// Appends pictures at `size`. They are read in parts, because a file may hold far larger pictures than are needed.
    private func append(
        _ rows: [Int], side: Int, size: Int, to pixels: inout [UInt8], _ read: ([Int]) async throws -> [UInt8]
    ) async throws {
        for start in stride(from: 0, to: rows.count, by: 64) {
            let part = Array(rows[start..<min(start + 64, rows.count)]), whole = try await read(part)
            if side == size {
                pixels += whole
                continue
            }
            let bytes = side * side * 3
            for i in part.indices {
                pixels +=
                    Picture(width: side, height: side, pixels: Array(whole[i * bytes..<(i + 1) * bytes])).resized(
                        width: size, height: size
                    ).pixels
            }
        }
    }
}
