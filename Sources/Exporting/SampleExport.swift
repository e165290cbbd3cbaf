import Cohorts
import Files
import Foundation
import Pictures
import Reporting
import SampleStore

/// Writes a sample set in another form: a folder with the pictures, cards, and `export.json` with the digest of every
/// file. Each picture keeps the label that it is synthetic, and the digest that leads to its provenance.
public struct SampleExport {
    /// The form of the pictures.
    public enum Format: String, CaseIterable, Codable, Sendable {
        /// `images/*.png`, and `metadata.csv`.
        case png
        /// One NPZ file as MedMNIST lays it out (Yang et al. 2023), with the samples in the training split.
        case npz
        /// Tar files with `KEY.png` and `KEY.json`.
        case webdataset
    }

    let set: SampleSetFile
    let format: Format
    /// The attribute whose codes are the labels of an NPZ file.
    let label: String
    /// The number of samples in a tar file.
    let shardRows: Int
    let threads: Int

    /// The names that an export uses in its unfinished folder.
    private static let parts: Set = ["content", "before"]

    /// How many samples are in memory at once.
    private static let rowsAtOnce = 64

    /// - Parameter label: the attribute whose codes are the labels of an NPZ file. Nil takes the grade, or the first
    ///   attribute that was asked for.
    /// - Throws: `Failure(.usage)` where `label` is not an attribute of the schema.
    public init(_ set: SampleSetFile, format: Format, label: String? = nil, shardRows: Int = 1000, threads: Int = 1)
        throws
    {
        if let label, CohortSchema.attribute(label) == nil {
            let known = CohortSchema.attributes.map(\.name).joined(separator: ", ")
            throw Failure(.usage, option: "label", expected: "one of \(known)", found: label)
        }
        let asked = SampleDetails.asked(set)
        self.set = set
        self.format = format
        self.label = label ?? (asked.contains("dr_icdr") ? "dr_icdr" : asked.first ?? "dr_icdr")
        self.shardRows = shardRows
        self.threads = threads
    }

    /// Writes the folder, whole or not at all, and checks everything in it.
    ///
    /// - Parameter content: SHA-256 of the set's content.
    /// - Returns: the number of files, and the number of their bytes in all.
    /// - Throws: `Failure(.cannotCreateOutput)` where the folder exists and `force` is false, is not an export, or is
    ///   written by another process; `Failure(.interrupted)`; `Failure(.readOrWriteFailed)`, also where a picture lost
    ///   its label; `Failure(.badData)` or `Failure(.checkFailed)` where the set cannot be read.
    public func write(
        to folder: String, content: Digest, force: Bool, progress: (Int) -> Void = { _ in }
    ) async throws -> (files: Int, bytes: Int) {
        let files = FileManager.default
        if files.fileExists(atPath: folder) {
            guard force else {
                throw Failure(.cannotCreateOutput, folder, "exists already", remedy: .replace)
            }
            // A mistyped path must not remove a folder that export did not write.
            guard ExportVerification.isExport(folder) else {
                throw Failure(
                    .cannotCreateOutput, folder,
                    "is no folder that export wrote (it has no \(ExportManifest.name)), so it is not replaced")
            }
        } else {
            try StagedFile.requireWritable(folder, force: false)
        }
        let unfinished = try UnfinishedFolder(for: folder)
        try unfinished.clear(where: SampleExport.parts.contains)
        let target = ExportFolder(unfinished.file("content"))
        do {
            try await fill(
                target, name: URL(fileURLWithPath: folder).lastPathComponent, content: content, progress: progress)
            if files.fileExists(atPath: folder) { try ExportFolder.move(folder, to: unfinished.file("before")) }
            try ExportFolder.move(target.path, to: folder)
        } catch {
            try? unfinished.remove(where: SampleExport.parts.contains)
            throw error
        }
        try unfinished.remove(where: SampleExport.parts.contains)
        return (target.files.count + 1, target.files.reduce(0) { $0 + $1.byteCount })
    }

    private func fill(_ folder: ExportFolder, name: String, content: Digest, progress: (Int) -> Void) async throws {
        var writer: any ExportWriter =
            switch format {
            case .png: try PNGWriter(folder, set, threads: threads)
            case .npz: try NPZWriter(folder, set, name: "\(name).npz", label: label)
            case .webdataset: try WebDatasetWriter(folder, set, stem: name, rows: shardRows, threads: threads)
            }
        let seedsAreTexts = ExportedSeed.needsText(set.seeds)
        for start in stride(from: 0, to: set.count, by: SampleExport.rowsAtOnce) {
            let rows = Array(start..<min(set.count, start + SampleExport.rowsAtOnce))
            let details = rows.map { SampleDetails(set, row: $0, seedsAreTexts: seedsAreTexts) }
            try writer.append(details, pixels: try await set.images(rows: rows))
            for name in set.structures { try writer.append(name, details, map: try await set.map(name, rows: rows)) }
            progress(rows.count + start)
            try Cancellation.check("nothing is left of the export; give the same command again")
        }
        if !set.isReleasable { try writeNotice(to: folder) }
        try writeCards(to: folder, name: name, layout: try writer.finish(), content: content)
        try ExportManifest(format: format, set: try set.description(), content: content, files: folder.files).write(
            to: folder.path)
        let (findings, digests) = try ExportVerification.check(folder.path)
        guard findings.isEmpty, digests == set.digests.map(\.description) else {
            let what = findings.first.map { "\($0.place): \($0.problem)" } ?? "the pictures are not those of the set"
            throw Failure(.readOrWriteFailed, folder.path, "the export was written wrongly: \(what)")
        }
    }

    /// Says in a file of its own that nobody has audited the set, because pictures are passed on without their cards.
    private func writeNotice(to folder: ExportFolder) throws {
        let sentences =
            [
                "NOT FOR RELEASE.",
                "No privacy audit has tested whether these pictures show photographs that the model was trained on.",
                "Keep them at your site. fovea audit tests the sample set, and fovea release makes a set that may go.",
            ] + (try set.description().warnings).map { "Warning: \($0)" }
        try folder.write(Data((sentences.joined(separator: "\n") + "\n").utf8), ExportManifest.notice)
    }

    private func writeCards(to folder: ExportFolder, name: String, layout: Croissant.Layout, content: Digest) throws {
        try folder.write(Data(try set.prov().utf8), "prov.json")
        for model in set.models {
            let short = "\(model.digest.description.prefix(12))"
            try folder.write(
                Data(try ModelCard.markdown(model, name: "Model \(short)", place: set.path).utf8), "model-\(short).md")
        }
        let croissant = Croissant(try set.description(), name: name, layout: layout, content: content)
        try folder.write(Data(try croissant.json().utf8), "croissant.json")
        let packaged = folder.files.filter { !PNGWriter.isPicture($0.name) && !PNGWriter.isMap($0.name) }
        let card = try DatasetCard.markdown(
            of: set, name: name, files: packaged, content: content, shards: format == .webdataset ? "*.tar" : nil)
        try folder.write(Data(card.utf8), "README.md")
    }
}

/// Writes the pictures of a set in one form, in order.
protocol ExportWriter {
    /// - Parameter pixels: [details.count, height, width, 3]
    mutating func append(_ details: [SampleDetails], pixels: [UInt8]) throws
    /// Appends the maps of one structure of the pictures that were appended last.
    /// - Parameter map: [details.count, height, width]
    mutating func append(_ structure: String, _ details: [SampleDetails], map: [UInt8]) throws
    mutating func finish() throws -> Croissant.Layout
}

extension ExportWriter {
    /// The form has no place for maps.
    func append(_ structure: String, _ details: [SampleDetails], map: [UInt8]) throws {}
}
