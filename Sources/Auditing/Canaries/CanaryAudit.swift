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
    ///   - model: a model that `fovea train --canaries` made.
    ///   - canaries: the file of canaries that was given to that command.
    ///   - reference: a model that saw no canary, such as the base. Its losses are subtracted, since some canaries are
    ///     harder than others for every model.
    /// - Throws: `Failure(.badData)` where the model has no canaries, or was trained with those of another file.
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
        // The photographs are grouped by canary, in the order of the coins.
        photographs = try await AuditPhotographs([(canaries, set.rows.flatMap { $0 })], of: model.manifest.model)
    }

    /// What `run` costs.
    package var cost: MembershipAttack.Cost { attack.cost(photographs: photographs.count, timedOn: photographs) }

    /// Runs the attack.
    /// - Parameter delta: the delta of the (epsilon, delta) differential privacy for which epsilon is bounded. 0 bounds
    ///   pure differential privacy.
    /// - Throws: `Failure(.badData)` where all canaries, or none of them, were included; what `report` throws.
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
