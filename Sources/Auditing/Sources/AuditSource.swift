import Cohorts
import Datasets
import Files
import Foundation
import Importing
import PictureFiles
import Pictures
import SampleStore

/// What is audited, or what it is audited against: a sample set, a data set, or a plain folder of photographs by
/// anybody.
package struct AuditSource: Sendable {
    package enum Content: Sendable {
        case samples(SampleSetFile)
        case dataset(DatasetFile)
        /// Pictures of a folder, sorted by name.
        case folder([String])
    }

    package let path: String
    package let content: Content
    /// SHA-256 of what it holds: a sample set's content digest; of a data set and a folder, over the digests of its
    /// pictures.
    package let digest: Digest

    /// Opens a file or folder.
    /// - Throws: `Failure` naming what is not there, damaged, or no picture. A damaged file is `.badData`, never
    ///   `.checkFailed`, which stands for a verdict.
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
            let names = try PhotographFolder(path).photographs
            content = .folder(names)
            var builder = DigestBuilder()
            for name in names {
                builder.update(Array(name.utf8) + [0])
                builder.update(try Digest(ofFile: path + "/" + name).bytes)
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

    /// Pictures.
    package var count: Int {
        switch content {
        case .samples(let file): file.count
        case .dataset(let file): file.count
        case .folder(let names): names.count
        }
    }

    /// Width and height of its pictures; nil for a folder, whose photographs may have any.
    package var size: Int? {
        switch content {
        case .samples(let file): file.width
        case .dataset(let file): file.size
        case .folder: nil
        }
    }

    /// Rows of one split; every row of what has none.
    package func rows(of split: Split) -> [Int] {
        if case .dataset(let file) = content { return file.rows(of: split) }
        return Array(0..<count)
    }

    /// A key for the patient of a picture; each picture of a folder and each sample counts as one of its own.
    package func patient(_ row: Int) -> String {
        if case .dataset(let file) = content { return file.patients[row] }
        return "\(row)"
    }

    /// Known attributes of a picture.
    package func cohort(_ row: Int) -> [String: String] {
        switch content {
        case .samples(let file): file.cohort(row: row).values.filter { $0.value != "unknown" }
        case .dataset(let file): file.cohort(row: row).values.filter { $0.value != "unknown" }
        case .folder: [:]
        }
    }

    /// What a person may call a picture; for `private/` alone.
    package func name(_ row: Int) -> String {
        if case .folder(let names) = content { return names[row] }
        return "row \(row)"
    }

    /// Pictures of `rows` at a size, their patients numbered in order of appearance.
    /// - Throws: `Failure(.badData)` for pictures that are not square or cannot be read.
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
        case .folder(let names):
            for picture in try AuditedFolder.read(rows.map { path + "/" + names[$0] }, size: size) {
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

    /// Some at a time: a file may hold far larger pictures than are needed.
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
