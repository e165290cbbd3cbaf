import Files
import Foundation

/// The three parts of the holdout, divided by patient. The auxiliary part may train helper models, the calibration part
/// sets thresholds, and the report part gives the false-alarm figures. No helper model sees the last two parts.
package struct HoldoutParts: Sendable {
    /// The rows of each part.
    package let auxiliary, calibration, report: [Int]

    /// Divides the holdout. A patient's part follows from the place of the digest of the patient's key among the
    /// digests of all patients' keys.
    /// - Parameters:
    ///   - auxiliary: rows of patients who are neither trained on nor held out, such as a validation split. Where these
    ///     are at least eight patients and the holdout has at least sixteen, they become the auxiliary part, and the
    ///     holdout is divided into the other two parts. Otherwise they are added to the holdout.
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
