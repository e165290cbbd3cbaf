import Evaluation
import Statistics

/// How well the classifiers of one arm do on one test set. Figures are means over the trainings.
package struct ArmFigures: Codable, Hashable, Sendable {
    /// The arm's name in options, and its name for a person.
    package let name, title: String
    package let isSynthetic: Bool
    /// The area under the ROC curve of all photographs: of the cases, or the mean over classes of one against the rest.
    /// The interval is of 95 %, over patients and trainings.
    package let area: Estimate
    /// The same area of each training.
    package let trainings: [Double]
    /// The areas in the other cells that can be measured, by the cell's text.
    package let cells: [String: Estimate]
    /// By how much the areas of the cohorts with the best and the worst one differ; nil with fewer than two.
    package let gap: Double?
    /// Kappa with quadratic weights of the most probable class; nil for classes without order.
    package let kappa: Double?
    /// The share of cases that is found while 90 % of the controls are not; nil for more than two classes.
    package let sensitivity: Double?
    /// Of the probability of a case; of more than two classes, of the probabilities of all classes together.
    package let calibration: Calibration

    /// The specificity at which the sensitivity is told.
    package static let specificity = 0.9
}

/// Areas of one arm in one cell for resamples of patients and trainings.
struct ResampledAreas {
    /// Of each training, from all patients.
    let areas: [Double]
    /// [resamples][trainings]
    let resampled: [[Double]]

    /// The number of patients in the cell.
    let patients: Int

    /// The mean over trainings, and how uncertain it is.
    var mean: TwoSources {
        TwoSources(
            trainings: areas, resamples: resampled.map { $0.reduce(0, +) / Double($0.count) }, patients: patients)
    }

    /// The mean difference from another arm, on the same patients.
    func difference(from other: ResampledAreas) -> TwoSources {
        func mean(_ pairs: Zip2Sequence<[Double], [Double]>) -> Double {
            pairs.reduce(0) { $0 + $1.0 - $1.1 } / Double(areas.count)
        }
        return TwoSources(
            trainings: zip(areas, other.areas).map { $0 - $1 },
            resamples: zip(resampled, other.resampled).map { mean(zip($0, $1)) }, patients: patients)
    }
}

extension ArmFigures {
    /// - Parameters:
    ///   - overall: of all photographs.
    ///   - cells: of the other cells.
    init(
        _ predictions: ArmPredictions, on set: TestSet, number: Int, task: ClassificationTask,
        overall: ResampledAreas, cells: [(cell: Cell, areas: ResampledAreas)]
    ) {
        name = predictions.arm.name
        title = predictions.arm.title
        isSynthetic = predictions.arm.isSynthetic
        area = overall.mean.estimateOfShare
        trainings = overall.areas
        self.cells = Dictionary(
            uniqueKeysWithValues: cells.map { ($0.cell.text(task), $0.areas.mean.estimateOfShare) })
        let cohorts = cells.filter { $0.cell.attribute != nil }.map(\.areas.mean.value)
        gap = cohorts.count > 1 ? (cohorts.max() ?? 0) - (cohorts.min() ?? 0) : nil
        let found = predictions.seeds.map { $0.tests[number] }
        func mean(_ value: ([[Double]]) -> Double) -> Double {
            found.reduce(0) { $0 + value($1) } / Double(found.count)
        }
        let grades = task.isOrdinal ? mean { quadraticKappa(set.labels, $0.map(\.indexOfLargest)) } : .nan
        kappa = grades.isNaN ? nil : grades
        sensitivity =
            task.isBinary
            ? mean { rows in
                RocCurve(
                    members: set.labels.indices.filter { set.labels[$0] == 1 }.map { rows[$0][1] },
                    nonMembers: set.labels.indices.filter { set.labels[$0] == 0 }.map { rows[$0][1] }
                ).sensitivity(atSpecificity: ArmFigures.specificity)
            } : nil
        // The mean of the probabilities is what a site would use that has trained several classifiers.
        let means = set.labels.indices.map { row in
            task.classes.indices.map { number in found.reduce(0) { $0 + $1[row][number] } / Double(found.count) }
        }
        calibration =
            task.isBinary
            ? Calibration(means.map { $0[1] }, set.labels.map { $0 == 1 })
            : Calibration(
                means.flatMap(\.self), set.labels.flatMap { label in task.classes.indices.map { $0 == label } })
    }
}

extension [Double] {
    /// The place of the largest number; the first of equal ones.
    package var indexOfLargest: Int { indices.max { (self[$0], $1) < (self[$1], $0) } ?? 0 }
}
