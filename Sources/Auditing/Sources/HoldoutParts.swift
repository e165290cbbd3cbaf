import Files
import Foundation

/// The three parts of the holdout, by patient: the auxiliary part may train helper models, the calibration part sets
/// thresholds, and the report part gives the false-alarm figures. No helper model sees calibration or report.
package struct HoldoutParts: Sendable {
    /// Rows.
    package let auxiliary, calibration, report: [Int]

    /// A patient's part follows from the patient's key alone, by its place among the others' digests.
    /// - Parameters:
    ///   - auxiliary: rows of patients who are neither trained on nor held out, such as a validation split. Where there
    ///     are at least eight of them, and sixteen in the holdout, they are the auxiliary part, and the holdout has two
    ///     parts; otherwise they are part of the holdout.
    package init(_ holdout: [Int], patient: (Int) -> String, auxiliary others: [Int] = []) {
        let usesOthers = Set(others.map(patient)).count >= 8 && Set(holdout.map(patient)).count >= 16
        let rows = usesOthers ? holdout : (holdout + others).sorted()
        let keys = Set(rows.map(patient)).map {
            (digest: Digest(of: Array("fovea-audit-part-1\0\($0)".utf8)).description, key: $0)
        }.sorted { $0 < $1 }
        let parts = usesOthers ? 2 : 3
        let part = Dictionary(uniqueKeysWithValues: keys.enumerated().map { ($1.key, $0 % parts) })
        calibration = rows.filter { part[patient($0)] == 0 }
        report = rows.filter { part[patient($0)] == 1 }
        auxiliary = usesOthers ? others : rows.filter { part[patient($0)] == 2 }
    }
}
