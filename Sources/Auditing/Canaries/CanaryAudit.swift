import CheckpointStore
import Datasets
import Files
import Models
import Training
import Verdicts

/// Asks a model that was trained with canaries which of them it saw.
package struct CanaryAudit: Sendable {
    /// The model's digest.
    package let model: Digest
    package let attack: MembershipAttack
    private let set: CanarySet
    private let photographs: AuditPhotographs

    /// - Parameters:
    ///   - model: a model of `fovea train --canaries`.
    ///   - canaries: the file that was given there.
    ///   - reference: a model that saw none of them, such as the base; takes away how hard each canary is for anybody.
    /// - Throws: `Failure(.badData)` where the model has no canaries, or those of another file.
    package init(
        _ model: LoadedModel, canaries: DatasetFile, reference: ModelInMemory? = nil,
        configuration: MembershipConfiguration = MembershipConfiguration()
    ) async throws {
        guard let record = model.manifest.canaries else {
            throw Failure(
                .badData, model.path, field: "canaries", expected: "a model that was trained with canaries",
                found: "one without", remedy: .canaries)
        }
        set = try CanarySet(canaries, seed: record.seed, repetitions: record.repetitions)
        guard set.record == record else {
            throw Failure(
                .badData, canaries.path, field: "canaries",
                expected: "the file that \(model.path) was trained with (\(record.digest))", found: set.record.digest)
        }
        self.model = model.digest
        attack = try MembershipAttack(model: ModelInMemory(model), reference: reference, configuration: configuration)
        // One canary after the other, in the order of the coins.
        photographs = try await AuditPhotographs([(canaries, set.rows.flatMap { $0 })], of: model.manifest.model)
    }

    package var cost: MembershipAttack.Cost { attack.cost(photographs: photographs.count, timedOn: photographs) }

    /// - Parameter delta: of the promise that the bound is held against; 0 is the strictest, and bounds pure
    ///   differential privacy.
    package func run(delta: Double = 0, report: (Int, Int) throws -> Void = { _, _ in }) throws -> CanaryResult {
        let scores = try attack.scores(of: [photographs], report: report)[0]
        guard
            let result = CanaryResult(
                scores: scores.likelihoodRatio ?? scores.loss, isIncluded: set.isIncluded, record: set.record,
                delta: delta,
                resamples: attack.configuration.resamples, seed: attack.configuration.seed)
        else {
            throw Failure(
                .badData, set.dataset.path, "canaries: expected some that were included and some that were not")
        }
        return result
    }
}
