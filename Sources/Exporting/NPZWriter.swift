import Cohorts
import Files
import Foundation
import Reporting
import SampleStore

/// One NPZ file with `train_images`, `train_labels` and empty validation and test splits, as MedMNIST names them. It
/// also holds the cohort, the provenance and the synthetic label.
struct NPZWriter: ExportWriter {
    private let folder: ExportFolder
    private let set: SampleSetFile
    private let name: String
    private let label: String
    private let archive: ArchiveWriter
    /// A file in which the pixels wait. The archive takes one entry at a time, and the entry of the pixels needs all of
    /// them.
    private let spool: FileHandle

    init(_ folder: ExportFolder, _ set: SampleSetFile, name: String, label: String) throws {
        self.folder = folder
        self.set = set
        self.name = name
        self.label = label
        try folder.make()
        archive = try ArchiveWriter(folder.file(name), .zip)
        // The file loses its name at once, so that it ends with this process.
        let path = folder.file(".pixels")
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(.readOrWriteFailed, path, "could not be written: \(SystemReason.text())")
        }
        unlink(path)
        spool = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    mutating func append(_ details: [SampleDetails], pixels: [UInt8]) throws {
        do {
            try spool.write(contentsOf: pixels)
        } catch {
            throw Failure(
                .readOrWriteFailed, folder.path, "could not be written: \(SystemReason.text(error))")
        }
    }

    mutating func finish() throws -> Croissant.Layout {
        let sides = [set.height, set.width, 3], count = set.count
        try addPixels(shape: [count] + sides)
        try archive.add("train_labels.npy", NumPyArray.int16(set.cohorts[label]?.codes ?? [], shape: [count, 1]))
        for split in ["val", "test"] {
            try archive.add("\(split)_images.npy", NumPyArray.uint8([], shape: [0] + sides))
            try archive.add("\(split)_labels.npy", NumPyArray.int16([], shape: [0, 1]))
        }
        for attribute in SampleDetails.asked(set) {
            guard let column = set.cohorts[attribute] else { continue }
            try archive.add("cohort_\(attribute).npy", NumPyArray.int16(column.codes, shape: [count]))
            try archive.add(
                "cohort_\(attribute)_names.npy", NumPyArray.strings(column.names, shape: [column.names.count]))
        }
        try archive.add("digest.npy", NumPyArray.uint8(set.digests.flatMap(\.bytes), shape: [count, 32]))
        let texts = [
            "label": label, "synthetic": "YES", "digital_source_type": SampleSet.digitalSourceType,
            "licence": set.terms.licence,
            "attribution": set.terms.attribution, "prov": try set.prov(),
        ]
        for (key, text) in texts.sorted(by: { $0.key < $1.key }) {
            try archive.add("\(key).npy", NumPyArray.strings([text], shape: []))
        }
        try archive.finish()
        return .arrays(try folder.add(name))
    }

    private func addPixels(shape: [Int]) throws {
        let header = NumPyArray.header(.uint8, shape: shape)
        try archive.add("train_images.npy", size: header.count + shape.reduce(1, *)) { append in
            try header.withUnsafeBytes(append)
            try spool.seek(toOffset: 0)
            while let piece = try spool.read(upToCount: 1 << 20), !piece.isEmpty { try piece.withUnsafeBytes(append) }
        }
    }
}
