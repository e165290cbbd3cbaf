import Datasets
import Foundation
import SampleStore
import Verdicts

/// What an audit of samples can be expected to show for a data set of this size, so that a site knows it before it
/// trains.
package struct AuditOutlook: Sendable {
    /// Patients of the train split, and their photographs.
    let patients, photographs: Int
    /// Holdout patients who would set thresholds, and those who would give the false-alarm figures.
    let calibration, report: Int

    /// A data set on which the audit's power was measured (docs/audit.md, "Measured").
    private struct Measured {
        let patients: Int
        let power: Double
    }

    /// The power of the feature test, the weaker one of the two that need power.
    private static let measured = [
        // CHASE: 24 photographs of 12 children. HRF: 33 photographs. IDRiD: 331 photographs.
        Measured(patients: 12, power: 0.23), Measured(patients: 33, power: 0.72), Measured(patients: 326, power: 0.84),
    ]

    /// - Parameters:
    ///   - patients: a key for the patient of each photograph.
    ///   - splits: the split of each photograph.
    package init(patients: [String], splits: [Split]) {
        func rows(_ split: Split) -> [Int] { splits.indices.filter { splits[$0] == split } }
        let train = rows(.train)
        let parts = HoldoutParts(rows(.holdout), patient: { patients[$0] }, auxiliary: rows(.validation))
        self.patients = Set(train.map { patients[$0] }).count
        photographs = train.count
        calibration = Set(parts.calibration.map { patients[$0] }).count
        report = Set(parts.report.map { patients[$0] }).count
    }

    /// Whether the audit runs at all with so few photographs.
    private var canRun: Bool {
        photographs >= AuditRun.leastPhotographs && min(calibration, report) >= CopyBattery.leastCalibration
    }

    /// What to expect, what that is based on, and what the site can do.
    package var sentence: String {
        let here =
            "\(AuditOutlook.count(patients, "training patient")) (\(AuditOutlook.count(photographs, "photograph")))"
        let held = "\(calibration) and \(report) held back for thresholds and false alarms"
        guard canRun else {
            return """
                privacy audit: cannot run with \(here) and \(held), because it needs at least \
                \(AuditRun.leastPhotographs) photographs and \(CopyBattery.leastCalibration) patient for each of the \
                two; \(AuditOutlook.advice)
                """
        }
        let needed = AuditPolicy().leastPower, measured = AuditOutlook.measured
        let basis = measured.map { "\(AuditOutlook.percent($0.power)) with \($0.patients)" }.joined(separator: ", ")
        let enough = measured.filter { $0.power >= needed }.map(\.patients).min() ?? .max
        let tooFew = measured.filter { $0.power < needed }.map(\.patients).max() ?? 0
        let expectation =
            patients <= tooFew
            ? "expect no pass"
            : patients < enough ? "a pass is possible but not sure" : "expect enough power for a pass"
        return """
            privacy audit: with \(here) and \(held), \(expectation) (\(AuditOutlook.percent(needed)) of the copies \
            that it plants must be found; public sets of 256 pixels reached \(basis) patients)
            """ + (patients < enough ? "; \(AuditOutlook.advice)" : "")
    }

    private static let advice = """
        more patients help and a base does not; without a pass no samples of this site alone are released, and what is \
        left is a federation that shares weights (docs/federation.md)
        """

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }

    private static func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
}
