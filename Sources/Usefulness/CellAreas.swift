import Randomness

/// The classes of a cell that can be measured on a test set, and their areas under the ROC curve.
struct CellAreas {
    /// The fewest patients of a class, and of the rest, from which an area is measured. With fewer, one patient moves
    /// the area by ten points.
    static let leastPatients = 10

    private let rows: [Int]
    /// The classes that are measured, each against the rest.
    let classes: [Int]
    /// The number of patients.
    let patients: Int
    private let cases: [[Bool]]

    /// Nil where too few patients are there.
    init?(_ cell: Cell, of set: TestSet, task: ClassificationTask) {
        let rows = set.labels.indices.filter { row in
            cell.attribute.map { set.cohorts[row][$0] == cell.value } ?? true
        }
        func count(_ isCase: Bool, _ number: Int) -> Int {
            Set(rows.filter { (set.labels[$0] == number) == isCase }.map { set.patients[$0] }).count
        }
        // Of two classes, one against the rest is the other turned round.
        let wanted = cell.classNumber.map { [$0] } ?? (task.isBinary ? [1] : Array(task.classes.indices))
        classes = wanted.filter {
            min(count(true, $0), count(false, $0)) >= CellAreas.leastPatients
        }
        if classes.isEmpty { return nil }
        self.rows = rows
        self.patients = Set(rows.map { set.patients[$0] }).count
        cases = classes.map { number in rows.map { set.labels[$0] == number } }
    }

    /// The rankings of one prediction, one for each class that is measured.
    /// - Parameter probabilities: of all rows of the set, [row][class].
    func rankings(_ probabilities: [[Double]]) -> [RankedScores] {
        zip(classes, cases).map { number, isCase in
            RankedScores(rows.map { probabilities[$0][number] }, isCase: isCase)
        }
    }

    /// The mean area over the classes. NaN where a resample has no case or no control of one of them.
    /// - Parameter weights: how often each row of the set counts.
    func area(_ rankings: [RankedScores], _ weights: [Double]) -> Double {
        let own = rows.map { weights[$0] }
        return rankings.reduce(0) { $0 + $1.area(own) } / Double(rankings.count)
    }
}

/// Resamples of a test set's patients: how often each photograph counts in each.
struct PatientResamples: Sendable {
    /// [resamples][rows]
    let weights: [[Double]]

    init(_ set: TestSet, count: Int, seed: UInt64) {
        let patients = set.patientCount
        weights = (0..<count).map { round in
            var random = Philox(seed: seed, stream: .bootstrap, index: UInt64(round))
            var times = [Double](repeating: 0, count: patients)
            for _ in 0..<patients { times[random.nextInteger(below: patients)] += 1 }
            return set.patients.map { times[$0] }
        }
    }
}
