import Auditing
import Classification
import Cohorts
import Counterfactuals
import Datasets
import Files
import SampleStore
import Statistics
import Usefulness

extension CohortReading {
    /// The number of classifiers, whose probabilities are averaged.
    private static let trainings = 3

    /// - Parameters:
    ///   - train: a data set, whose train split is trained on.
    ///   - steps: the optimizer's steps of each training.
    ///   - side: the width and height in pixels at which pictures are read.
    /// - Throws: `Failure(.usage)` for an attribute that is not in the schema; `Failure(.badData)` where its
    ///   photographs have fewer than two classes.
    package init(
        of file: SampleSetFile, attribute: String, train: AuditSource, steps: Int = 600, side: Int = 64,
        progress: (Double) throws -> Void
    ) async throws {
        let rows = train.rows(of: .train)
        let task = try ClassificationTask(
            attribute: attribute, positive: [],
            values: Set(rows.compactMap { train.cohort($0)[attribute] }), place: train.path)
        func labelled(_ rows: [Int]) -> [Int] { rows.filter { task.label(of: train.cohort($0)) != nil } }
        func pictures(_ rows: [Int]) async throws -> LabelledPictures {
            LabelledPictures(
                try await train.pictures(rows, size: side), labels: rows.compactMap { task.label(of: train.cohort($0)) }
            )
        }
        var settings = EvaluationSettings()
        (settings.steps, settings.size) = (steps, side)
        let learned = try await pictures(labelled(rows))
        let validation = try await pictures(labelled(train.rows(of: .validation)))
        let unseen = try await pictures(labelled(train.rows(of: .holdout)))
        let drawn = try await AuditSource(file.path).pictures(Array(0..<file.count), size: side)
        var sums = (drawn: [[[Double]]](), unseen: [[[Double]]]())
        for training in 0..<CohortReading.trainings {
            var configuration = ArmTraining.configuration(
                attribute, classes: task.classes.count, settings, seed: training)
            configuration.balance = .resampling
            let classifier = try PictureClassifier.trained(
                configuration, on: [learned], validation: validation.count == 0 ? nil : validation
            ) { try progress((Double(training) + $0) / Double(CohortReading.trainings)) }
            sums.drawn.append(classifier.probabilities(of: drawn))
            if unseen.count > 0 { sums.unseen.append(classifier.probabilities(of: unseen.pictures)) }
        }
        let found = CohortReading.mean(sums.drawn), read = CohortReading.mean(sums.unseen)
        let line = CohortReading.line(task)
        let places = line.map { line in found.map { CohortReading.place($0, on: line) } }
        let changed = (0..<file.count).filter { file.original(row: $0) != nil }
        let asked = changed.map { row in
            file.requests[attribute].flatMap { $0[row].isNaN ? nil : Double($0[row]) }
        }
        let spearman = places.flatMap { places in
            let known = zip(changed, asked).compactMap { row, place in place.map { (places[row], $0) } }
            return RankCorrelation.spearman(known.map(\.0), known.map(\.1))
        }
        let photographSpearman = line.flatMap { line in
            RankCorrelation.spearman(
                read.map { CohortReading.place($0, on: line) }, unseen.labels.map { line[$0] })
        }
        self.init(
            attribute: attribute, classes: task.classes, photographs: learned.count, probabilities: found,
            places: places, spearman: spearman, photographSpearman: photographSpearman,
            obeyed: CohortReading.share(
                changed.compactMap { row in task.label(of: file.cohort(row: row).values).map { (found[row], $0) } }),
            photographsRead: CohortReading.share(Array(zip(read, unseen.labels))))
    }

    /// The place of each class on the line of an ordinal attribute's values; nil for an attribute without order.
    private static func line(_ task: ClassificationTask) -> [Double]? {
        guard task.isOrdinal, let attribute = CohortSchema.attribute(task.attribute) else { return nil }
        return task.classes.map { name in Double(attribute.names.firstIndex(of: name) ?? 0) }
    }

    private static func place(_ probabilities: [Double], on line: [Double]) -> Double {
        zip(probabilities, line).reduce(0) { $0 + $1.0 * $1.1 }
    }

    private static func mean(_ trainings: [[[Double]]]) -> [[Double]] {
        (trainings.first ?? []).indices.map { row in
            trainings[0][row].indices.map { number in
                trainings.reduce(0) { $0 + $1[row][number] } / Double(trainings.count)
            }
        }
    }

    /// How often the most probable class is the one that is named; nil of none.
    private static func share(_ found: [(probabilities: [Double], label: Int)]) -> Double? {
        guard !found.isEmpty else { return nil }
        return Double(found.count { $0.probabilities.indexOfLargest == $0.label }) / Double(found.count)
    }
}
