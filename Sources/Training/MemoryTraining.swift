import CheckpointStore
import Diffusion
import Files
import Foundation
import Models
import Networks
import TensorCore

extension TrainingConfiguration {
    /// The settings that a model was trained with where its manifest says them, as a training from nothing: no base, no
    /// canaries, no adapter.
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

/// A training that leaves nothing on the disk: on arrays of one's own, and of an audit's helper models.
public enum MemoryTraining {
    /// Trains a network on `photographs` until `configuration.images` were seen.
    ///
    /// - Parameters:
    ///   - encoding: what stands for the photographs' cohorts.
    ///   - start: where its parameters start; nil for random ones. Of the same architecture.
    ///   - report: called behind each step with the images seen; returning false ends the training there.
    /// - Returns: the shortest of the moving averages.
    /// - Throws: `Failure` where the loss is not finite.
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
