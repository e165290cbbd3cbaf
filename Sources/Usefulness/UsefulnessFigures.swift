import Evaluation
import Statistics
import TensorCore

/// Whether synthetic pictures help a classifier, on one test set.
package struct TestFigures: Codable, Hashable, Sendable {
    package let name: String
    /// To the nearest five.
    package let photographs, patients: Int
    package let arms: [ArmFigures]
    /// The chosen arm with synthetic pictures against the chosen one without, in each cell that can be measured; the
    /// first is of all photographs.
    package let comparisons: [CellComparison]
    /// Each other arm against the chosen one without synthetic pictures, on all photographs, by the arm's name. They
    /// are not corrected for their number.
    package let differences: [String: Estimate]
    /// The cells that have too few patients of some class.
    package let unmeasured: [String]
    package let verdict: UsefulnessVerdict
}

/// The two arms that the verdict compares. They are chosen before anybody looks at a test set.
package struct ArmChoice: Codable, Hashable, Sendable {
    package let synthetic, baseline: String
    /// Whether both have the largest mean area on validation photographs among their kind. Otherwise these were too
    /// few, and the arms are the declared ones: all synthetic pictures added, and photographs alone, both with the
    /// classes drawn equally often.
    package let isByValidation: Bool
    /// The mean area of each arm on the validation photographs; empty where they are too few.
    package let validation: [String: Double]

    init(_ arms: [ArmPredictions], validation: TestSet, task: ClassificationTask) {
        let areas = CellAreas(.overall, of: validation, task: task).map { cell in
            arms.map { arm in
                let weights = [Double](repeating: 1, count: validation.count)
                return arm.seeds.reduce(0) { $0 + cell.area(cell.rankings($1.validation), weights) }
                    / Double(arm.seeds.count)
            }
        }
        // With a class that cannot be measured, the choice would not know about it.
        let isKnown = CellAreas(.overall, of: validation, task: task).map {
            $0.classes.count == (task.isBinary ? 1 : task.classes.count)
        }
        func best(_ isSynthetic: Bool, declared: (Arm) -> Bool) -> Arm {
            let places = arms.indices.filter { arms[$0].arm.isSynthetic == isSynthetic }
            guard let first = places.first else { fatalError("ArmChoice: no arm with synthetic == \(isSynthetic)") }
            if isKnown == true, let areas {
                return arms[places.max { (areas[$0], $1) < (areas[$1], $0) } ?? first].arm
            }
            return arms[places.first { declared(arms[$0].arm) } ?? places.last ?? first].arm
        }
        synthetic = best(true) { if case .addedResampled = $0 { true } else { false } }.name
        baseline = best(false) { $0 == .resampled }.name
        isByValidation = isKnown == true
        self.validation =
            isByValidation ? Dictionary(uniqueKeysWithValues: zip(arms.map(\.arm.name), areas ?? [])) : [:]
    }
}

/// Whether synthetic pictures help a classifier: all arms on all test sets.
package struct UsefulnessFigures: Codable, Hashable, Sendable {
    package let task: ClassificationTask
    package let choice: ArmChoice
    package let tests: [TestFigures]

    /// The most trainings of an arm.
    package static let mostTrainings = 100
    /// The number of resamples of the patients.
    package static let resamples = 2000

    /// - Parameters:
    ///   - arms: at least one with synthetic pictures and one without, with equally many trainings each, two or more.
    ///   - tests: the test sets in the order of the predictions.
    ///   - attributes: whose values make cells.
    package init(
        _ arms: [ArmPredictions], validation: TestSet, tests: [TestSet], task: ClassificationTask,
        by attributes: [String], resamples: Int = UsefulnessFigures.resamples, seed: UInt64 = 0
    ) {
        let choice = ArmChoice(arms, validation: validation, task: task)
        self.task = task
        self.choice = choice
        self.tests = tests.enumerated().map { number, set in
            TestFigures(
                arms, on: set, number: number, task: task, choice: choice, by: attributes, resamples: resamples,
                seed: seed)
        }
    }
}

extension TestFigures {
    fileprivate init(
        _ arms: [ArmPredictions], on set: TestSet, number: Int, task: ClassificationTask, choice: ArmChoice,
        by attributes: [String], resamples: Int, seed: UInt64
    ) {
        name = set.name
        photographs = set.count.toNearestFive
        patients = set.patientCount.toNearestFive
        let all = Cell.all(of: set, task: task, by: attributes)
        let cells = all.compactMap { cell in CellAreas(cell, of: set, task: task).map { (cell: cell, areas: $0) } }
        unmeasured = all.filter { cell in !cells.contains { $0.cell == cell } }.map { $0.text(task) }
        guard let first = cells.first, first.cell == .overall else {
            (self.arms, comparisons, differences) = ([], [], [:])
            verdict = .notMeasured
            return
        }
        let weights = PatientResamples(set, count: resamples, seed: seed).weights
        let areas = cells.map { cell in
            arms.map { ResampledAreas($0, cell.areas, number: number, weights: weights) }
        }
        self.arms = arms.enumerated().map { place, arm in
            ArmFigures(
                arm, on: set, number: number, task: task, overall: areas[0][place],
                cells: cells.indices.dropFirst().map { (cells[$0].cell, areas[$0][place]) })
        }
        guard let chosen = arms.firstIndex(where: { $0.arm.name == choice.synthetic }),
            let baseline = arms.firstIndex(where: { $0.arm.name == choice.baseline })
        else { fatalError("TestFigures: arms \(choice.synthetic) and \(choice.baseline) are not there") }
        let raw = areas.map { $0[chosen].difference(from: $0[baseline]) }
        let adjusted = falseDiscoveryAdjusted(raw.map(\.probability))
        comparisons = cells.indices.map { place in
            CellComparison(
                cell: cells[place].cell.text(task), patients: cells[place].areas.patients.toNearestFive,
                difference: raw[place].estimate, shareOfTrainings: raw[place].shareOfTrainings,
                probability: raw[place].probability, adjusted: adjusted[place])
        }
        differences = Dictionary(
            uniqueKeysWithValues: arms.indices.filter { $0 != baseline }.map {
                (arms[$0].arm.name, areas[0][$0].difference(from: areas[0][baseline]).estimate)
            })
        verdict = UsefulnessVerdict(comparisons)
    }
}

extension ResampledAreas {
    fileprivate init(_ arm: ArmPredictions, _ cell: CellAreas, number: Int, weights: [[Double]]) {
        let rankings = arm.seeds.map { cell.rankings($0.tests[number]) }
        patients = cell.patients
        let ones = [Double](repeating: 1, count: weights.first?.count ?? 0)
        areas = rankings.map { cell.area($0, ones) }
        resampled = [[Double]](unsafeUninitializedCapacity: weights.count) { target, count in
            target.initialize(repeating: [])
            nonisolated(unsafe) let target = target
            parallelFor(weights.count) { round in target[round] = rankings.map { cell.area($0, weights[round]) } }
            count = weights.count
        }
    }
}
