import Cohorts
import Datasets
import Foundation
import Pictures

/// The photographs that an import kept. Their pixels wait on disk until `records` asks for them.
public struct ImportedPhotographs: Sendable {
    public let report: ImportReport
    struct Entry: Sendable {
        let spoolIndex: Int
        let fieldOfView: FieldOfView
        let cohort: Cohort
        let patient: String
        let split: Split
    }
    let entries: [Entry]
    let spool: PixelSpool

    public var count: Int { entries.count }

    /// The records of some rows.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func records(_ rows: Range<Int>) throws -> [DatasetRecord] {
        try entries[rows].map { entry in
            DatasetRecord(
                pixels: try spool.read(entry.spoolIndex), fieldOfView: entry.fieldOfView, cohort: entry.cohort,
                patient: entry.patient, split: entry.split)
        }
    }

    /// All records at once.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func records() throws -> [DatasetRecord] { try records(0..<count) }
}
