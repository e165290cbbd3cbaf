import Auditing
import Classification
import Cohorts
import Datasets
import Files
import Pictures
import Usefulness

/// The pictures of an evaluation in memory, at the size at which they are classified, with their classes.
struct EvaluationData: Sendable {
    let task: ClassificationTask
    let training, synthetic: LabelledPictures
    let validation: (pictures: LabelledPictures, set: TestSet)
    let tests: [(pictures: LabelledPictures, set: TestSet, source: AuditSource)]
    /// The names of the test sets of which no photograph has a class.
    let withoutLabels: [String]
    /// The row of each synthetic picture in its file.
    let syntheticRows: [Int]

    /// What the patients of the data set's own holdout are called.
    static let ownTest = "the holdout"

    /// - Throws: `Failure(.badData)` where there are too few pictures or classes; `Failure(.usage)` where the task is
    ///   not in the schema.
    init(_ inputs: EvaluationInputs, progress: (Double) -> Void) async throws {
        let train = inputs.train, samples = inputs.samples, size = inputs.settings.size
        if case .dataset(let file) = samples.content, !file.info.synthetic {
            throw Failure(
                .badData, samples.path, field: "synthetic", expected: "YES, as of pictures that were drawn",
                found: "NO")
        }
        func values(_ source: AuditSource, _ rows: [Int]) -> Set<String> {
            Set(rows.compactMap { source.cohort($0)[inputs.attribute] })
        }
        let trainRows = train.rows(of: .train), allSamples = Array(0..<samples.count)
        let task = try ClassificationTask(
            attribute: inputs.attribute, positive: inputs.positive,
            values: values(train, trainRows), place: train.path)
        self.task = task
        func labelled(_ source: AuditSource, _ rows: [Int]) -> [Int] {
            rows.filter { task.label(of: source.cohort($0)) != nil }
        }
        func pictures(_ source: AuditSource, _ rows: [Int]) async throws -> LabelledPictures {
            LabelledPictures(
                try await source.pictures(rows, size: size),
                labels: rows.compactMap { task.label(of: source.cohort($0)) })
        }
        func labelledSet(
            _ source: AuditSource, _ rows: [Int], name: String
        ) async throws -> (LabelledPictures, TestSet) {
            let rows = labelled(source, rows), found = try await pictures(source, rows)
            return (
                found,
                TestSet(
                    name: name, labels: found.labels, patients: found.pictures.patients,
                    cohorts: rows.map(source.cohort))
            )
        }
        let learned = labelled(train, trainRows), drawn = labelled(samples, allSamples)
        try EvaluationData.require(learned, of: train, task: task)
        guard drawn.count >= EvaluationData.leastSynthetic else {
            throw Failure(
                .badData, samples.path, field: inputs.attribute,
                expected: "at least \(EvaluationData.leastSynthetic) pictures that were drawn for one of its classes",
                found: "\(drawn.count) of \(samples.count)")
        }
        training = try await pictures(train, learned)
        progress(0.3)
        syntheticRows = drawn
        synthetic = try await pictures(samples, drawn)
        progress(0.6)
        validation = try await labelledSet(train, train.rows(of: .validation), name: "the validation split")
        var tests: [(pictures: LabelledPictures, set: TestSet, source: AuditSource)] = []
        let own = (source: train, rows: train.rows(of: .holdout), name: EvaluationData.ownTest)
        for test in [own]
            + inputs.tests.map({ (source: $0, rows: Array(0..<$0.count), name: EvaluationData.name($0)) })
        {
            let (pictures, set) = try await labelledSet(test.source, test.rows, name: test.name)
            tests.append((pictures, set, test.source))
        }
        progress(1)
        self.tests = tests.filter { $0.set.count > 0 }
        withoutLabels = tests.filter { $0.set.count == 0 }.map(\.set.name)
        guard !self.tests.isEmpty else {
            throw Failure(
                .badData, train.path, field: inputs.attribute,
                expected: "held-out photographs of which it is known", found: "none")
        }
    }

    /// The data for another attribute; nil where the pictures do not tell it.
    /// - Throws: what reading throws.
    static func ifPossible(_ inputs: EvaluationInputs) async throws -> EvaluationData? {
        do { return try await EvaluationData(inputs) { _ in } } catch let failure as Failure
            where failure.kind == .badData
        { return nil }
    }

    /// The fewest synthetic pictures.
    private static let leastSynthetic = 10
    /// The fewest patients to train on.
    private static let leastPatients = 10

    private static func require(_ rows: [Int], of train: AuditSource, task: ClassificationTask) throws {
        let patients = Set(rows.map(train.patient)).count
        guard patients >= leastPatients else {
            throw Failure(
                .badData, train.path, field: task.attribute,
                expected: "at least \(leastPatients) patients of the train split of whom it is known",
                found: "\(patients)")
        }
    }

    /// The name of a source's file.
    static func name(_ source: AuditSource) -> String {
        source.path.split(separator: "/").last.map(String.init) ?? source.path
    }
}
