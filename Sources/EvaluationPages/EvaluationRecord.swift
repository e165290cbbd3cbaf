import Anatomy
import Evaluation
import Files
import Foundation
import Statistics
import Usefulness

/// `evaluation.json`: what an evaluation found, in aggregates only. docs/evaluation.schema.json describes it. Patients
/// are counted to the nearest five, and no cell has fewer than ten of a class.
package struct EvaluationRecord: Codable, Hashable, Sendable {
    package static let kind = "fovea.evaluation"

    /// One side of an evaluation.
    package struct Side: Codable, Hashable, Sendable {
        /// The file's name.
        package let name: String
        package let site: String?
        /// Photographs are counted to the nearest five.
        package let pictures: Int
        /// To the nearest five; nil for synthetic pictures.
        package let patients: Int?
        /// The content digest of a sample set, which binds the evaluation to it; nil for photographs.
        package let digest: Digest?

        package init(name: String, site: String?, pictures: Int, patients: Int?, digest: Digest?) {
            (self.name, self.site, self.digest) = (name, site, digest)
            self.pictures = patients == nil ? pictures : pictures.toNearestFive
            self.patients = patients.map(\.toNearestFive)
        }
    }

    package let kind: String
    package let version: Int
    package let tool: String
    /// The day, such as `2026-01-31`.
    package var date: String
    package let samples, training: Side
    /// The data set's own holdout first, then those of other sites.
    package let tests: [Side]
    package var fidelity: FidelityRecord?
    /// Of all pictures first, and then of each value of the task's attribute.
    package var anatomy: [AnatomyFigures]?
    package var usefulness: UsefulnessFigures?
    package var obedience: [ObedienceFigures]?

    package init(samples: Side, training: Side, tests: [Side], date: String) {
        (kind, version, tool) = (EvaluationRecord.kind, 1, ToolVersion.current)
        (self.samples, self.training, self.tests, self.date) = (samples, training, tests, date)
    }

    /// Reads a record.
    /// - Throws: `Failure(.badData)` that names what is wrong.
    package static func decode(_ text: String, place: String) throws -> EvaluationRecord {
        let record = try JSONText.decode(EvaluationRecord.self, Data(text.utf8), place: place)
        guard record.kind == EvaluationRecord.kind, record.version == 1 else {
            throw Failure(
                .badData, place, field: "kind and version", expected: "\(EvaluationRecord.kind) 1",
                found: "\(record.kind) \(record.version)")
        }
        return record
    }
}

/// How near the synthetic pictures are to photographs.
package struct FidelityRecord: Codable, Hashable, Sendable {
    package struct Cohort: Codable, Hashable, Sendable {
        /// Such as `dr_icdr 4`.
        package let name: String
        package let figures: FidelityFigures

        package init(name: String, figures: FidelityFigures) { (self.name, self.figures) = (name, figures) }
    }

    /// Whether the photographs are of patients whom nobody trained on.
    package let isHeldOut: Bool
    package let all: FidelityFigures
    package let cohorts: [Cohort]

    package init(isHeldOut: Bool, all: FidelityFigures, cohorts: [Cohort]) {
        (self.isHeldOut, self.all, self.cohorts) = (isHeldOut, all, cohorts)
    }
}
