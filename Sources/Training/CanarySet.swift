import CheckpointStore
import Datasets
import Files
import Randomness
import TensorCore

/// The canaries of a training: the phantom patients of a file. For each of them, a coin flip from the training's seed
/// decides whether it is included (Steinke, Nasr and Jagielski 2023, "Privacy auditing with one (1) training run",
/// algorithm 1, in the case where every example is decided by an independent coin flip).
package struct CanarySet: Sendable {
    /// With fewer canaries, an audit's bound says nothing.
    package static let fewest = 100
    package static let repetitions = [1, 4, 16, 64]

    package let dataset: DatasetFile
    /// The rows of each canary, in the order in which the canaries first appear in the file.
    package let rows: [[Int]]
    /// Whether each canary is included in the training.
    package let isIncluded: [Bool]
    package let record: CanaryRecord

    /// - Throws: `Failure(.badData)` where the data set does not consist of phantoms, or has fewer than `fewest`
    ///   patients.
    package init(_ dataset: DatasetFile, seed: UInt64, repetitions: Int) throws {
        guard dataset.info.isDrawn, dataset.visits != nil else {
            throw Failure(
                .badData, dataset.path, field: "canaries", expected: "phantoms, as fovea phantom makes them",
                found: "photographs")
        }
        var known: [String: Int] = [:], rows: [[Int]] = []
        for (row, patient) in dataset.patients.enumerated() {
            if let number = known[patient] {
                rows[number].append(row)
            } else {
                known[patient] = rows.count
                rows.append([row])
            }
        }
        guard rows.count >= CanarySet.fewest else {
            throw Failure(
                .badData, dataset.path, field: "canaries", expected: "at least \(CanarySet.fewest) phantom patients",
                found: "\(rows.count)")
        }
        self.dataset = dataset
        self.rows = rows
        isIncluded = rows.indices.map { number in
            var random = Philox(seed: seed, stream: .canary, index: UInt64(number))
            return random.nextUniform() < 0.5
        }
        record = CanaryRecord(
            digest: Digest(of: dataset.digests.flatMap(\.bytes)).description, count: rows.count,
            included: isIncluded.count { $0 },
            repetitions: repetitions, seed: seed)
    }

    /// The rows that are added to the training set: those of included canaries, `repetitions` times.
    package var trainingRows: [Int] {
        rows.indices.filter { isIncluded[$0] }.flatMap { number in
            (0..<record.repetitions).flatMap { _ in rows[number] }
        }
    }
}
