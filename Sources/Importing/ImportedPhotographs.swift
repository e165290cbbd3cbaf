import Cohorts
import Datasets
import Foundation
import Pictures

/// The photographs that an import kept. Their pixels wait on disk until `records` asks for them.
public struct ImportedPhotographs: Sendable {
    /// What the import did. Whoever writes the data set can add what is known only then.
    public var report: ImportReport
    struct Entry: Sendable {
        let slot: Int
        let fieldOfView: FieldOfView
        let cohort: Cohort
        let patient: String
        let split: Split
    }
    let entries: [Entry]
    let pictures: PixelSpool
    /// Where the picture of each file is, those of dropped copies and of photographs of poor quality as well.
    let slots: [String: Int]

    public var count: Int { entries.count }

    /// The opaque key of each photograph's patient.
    public var patients: [String] { entries.map(\.patient) }
    /// The split of each photograph.
    public var splits: [Split] { entries.map(\.split) }

    /// The records of some rows.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func records(_ rows: Range<Int>) throws -> [DatasetRecord] {
        try entries[rows].map { entry in
            DatasetRecord(
                pixels: try pictures.read(entry.slot), fieldOfView: entry.fieldOfView, cohort: entry.cohort,
                patient: entry.patient, split: entry.split)
        }
    }

    /// The cropped picture of a file that could be read; nil for other files.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    package func picture(of file: String) throws -> Picture? {
        try slots[file].map { Picture(width: report.size, height: report.size, pixels: try pictures.read($0)) }
    }

    /// All records at once.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func records() throws -> [DatasetRecord] { try records(0..<count) }
}
