import CheckpointStore
import Diffusion
import Files
import Foundation
import Models
import Networks
import TensorCore

extension TrainingConfiguration {
    /// The settings that a model was trained with, where its manifest has them, for a training without base, canaries
    /// or adapter.
    package init(trainedAs loaded: LoadedModel) {
        self.init()
        if let before = try? Configuration.decode(
            loaded.manifest.configuration, name: loaded.path, over: TrainingConfiguration())
        {
            self = before
        }
        start(from: loaded)
        (base, canaries, canaryRepetitions, proximalWeight) = ("", "", 1, 0)
    }
}

/// A training that writes nothing to the disk: on a user's own arrays, and for the helper models of audits.
public enum MemoryTraining {
    /// Trains a network on `photographs` until it has seen `configuration.images` images.
    ///
    /// - Parameters:
    ///   - encoding: the encoding of the photographs' cohorts.
    ///   - start: the first values of the parameters, of the same architecture; nil for random values.
    ///   - report: called after each step; the training ends where it returns false.
    /// - Returns: the shortest of the moving averages.
    /// - Throws: `Failure`: `.usage` for settings that contradict each other; `.badData` where `start` belongs to
    ///   another network, or the loss is not finite; what `report` throws.
    public static func run(
        _ configuration: TrainingConfiguration, encoding: CohortEncoding = CohortEncoding(attributes: []),
        on photographs: TrainingSet,
        from start: ParameterMap? = nil,
        report: (TrainingStep) throws -> Bool = { _ in true }
    ) throws -> ModelInMemory {
        var wanted = configuration
        if let problem = wanted.problem { throw Failure(.usage, nil, problem) }
        wanted.measure(photographs)
        let model = DiffusionModel(wanted.description(encoding))
        if let start, start.specifications != model.specifications {
            throw Failure(
                .badData, nil, "the model to start from has parameters of another network than its settings describe")
        }
        let state = start.map {
            TrainingState(
                model.specifications, seed: wanted.seed, averages: wanted.averageLengths.count, parameters: $0)
        }
        let trainer = Trainer(
            wanted, model, Tuning(model.specifications, base: nil, adapter: nil), data: photographs, state: state)
        while let step = trainer.next() { if try !report(step) { break } }
        if let failure = trainer.failure { throw failure }
        let shortest = wanted.averageLengths.indices.min { wanted.averageLengths[$0] < wanted.averageLengths[$1] } ?? 0
        return ModelInMemory(
            model: model, parameters: trainer.network(average: shortest), noiseLevels: wanted.noiseLevels,
            flips: wanted.flips,
            sampledLevels: wanted.sampledLevels(of: model.description))
    }
}
