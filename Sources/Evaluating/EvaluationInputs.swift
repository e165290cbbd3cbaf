import Auditing
import Files
import Usefulness

/// What is evaluated, and how.
package struct EvaluationInputs: Sendable {
    /// The synthetic pictures: a sample set, or a data set of pictures that another program made.
    package var samples: AuditSource
    /// The data set whose train split the generator learned from. Its validation split chooses, its holdout tests.
    package var train: AuditSource
    /// Data sets of other sites, whose photographs nobody trained on.
    package var tests: [AuditSource]
    /// What the classifier is to tell; see `ClassificationTask`.
    package var attribute: String
    package var positive: [String] = []
    /// Attributes whose values make cells.
    package var by: [String] = []
    /// Features of the pictures that another program computed; each has a name of its own.
    package var features: [GivenFeatures] = []
    package var settings = EvaluationSettings()

    package init(samples: AuditSource, train: AuditSource, tests: [AuditSource], attribute: String) {
        (self.samples, self.train, self.tests, self.attribute) = (samples, train, tests, attribute)
    }
}

/// How an evaluation computes.
package struct EvaluationSettings: Codable, Hashable, Sendable {
    /// The parts of an evaluation.
    package enum Part: String, Codable, CaseIterable, Sendable {
        case fidelity, anatomy, usefulness, obedience
    }

    package var parts = Part.allCases
    /// The width and height in pixels at which pictures are classified.
    package var size = 64
    /// The trainings of each arm.
    package var seeds = 5
    /// The optimizer's steps of each training.
    package var steps = 600
    /// How many synthetic pictures are added for each photograph, in rising order; empty for a quarter, a half and all
    /// of those that are there.
    package var doses: [Double] = []
    /// The names of the arms that are trained; empty for all.
    package var arms: [String] = []
    package var seed: UInt64 = 1

    package init() {}

    package static let sizes = 32...128, seedCounts = 2...UsefulnessFigures.mostTrainings, stepCounts = 10...100_000
    package static let doseRange = 0.05...20.0

    /// - Throws: `Failure(.usage)` that names what is out of range.
    package func validate() throws {
        func require(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
            if !range.contains(value) {
                throw Failure(
                    .usage, option: name, expected: "\(range.lowerBound) to \(range.upperBound)", found: "\(value)")
            }
        }
        try require("seeds", seeds, EvaluationSettings.seedCounts)
        try require("steps", steps, EvaluationSettings.stepCounts)
        try require("size", size, EvaluationSettings.sizes)
        if size % 8 != 0 { throw Failure(.usage, option: "size", expected: "a multiple of 8", found: "\(size)") }
        if let wrong = doses.first(where: { !EvaluationSettings.doseRange.contains($0) }) {
            throw Failure(
                .usage, option: "doses",
                expected: """
                    \(EvaluationSettings.doseRange.lowerBound) to \(EvaluationSettings.doseRange.upperBound) synthetic \
                    pictures for each photograph
                    """, found: "\(wrong)")
        }
        if parts.isEmpty {
            throw Failure(
                .usage, option: "parts", expected: Part.allCases.map(\.rawValue).joined(separator: ", "), found: "none")
        }
    }
}
