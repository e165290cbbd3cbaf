import CheckpointStore
import Diffusion
import Files
import Foundation
import Networks
import TensorCore

/// The result of one training step.
public struct TrainingStep: Sendable {
    public let imagesSeen: Int
    /// The mean weighted denoising loss of the batch (Karras et al. 2022, equation 8). With several networks it is the
    /// sum of their losses.
    public let loss: Double
    /// The parts of `loss` from the networks after the first, by name; see `ModelDescription.further`.
    public let expertLosses: [String: Double]
    /// The first network's loss of each picture. `sigmas` has the noise levels.
    public let losses: [Float]
    public let sigmas: [Float]
    /// The norm of the gradient over all parameters, before clipping.
    public let gradientNorm: Double
    public let learningRate: Float
}

/// Trains a model, as a sequence of steps; each step uses one batch.
///
/// All randomness of an image follows from the seed and from the number of images seen before it. So a training that is
/// stopped and resumed takes the same steps as a training that runs through.
public final class Trainer: Sequence, IteratorProtocol {
    public let configuration: TrainingConfiguration
    public let model: DiffusionModel
    public internal(set) var state: TrainingState
    /// Why the sequence ended before `configuration.images` were seen; nil otherwise.
    public private(set) var failure: Failure?
    private let data: TrainingSet
    private let tuning: Tuning

    init(
        _ configuration: TrainingConfiguration, _ model: DiffusionModel, _ tuning: Tuning, data: TrainingSet,
        state: TrainingState? = nil
    ) {
        if let problem = configuration.problem { fatalError("Trainer: \(problem)") }
        self.configuration = configuration
        self.data = data
        self.model = model
        self.tuning = tuning
        self.state =
            state
            ?? TrainingState(
                tuning.specifications, seed: configuration.seed, averages: configuration.averageLengths.count,
                parameters: tuning.start)
    }

    /// Takes a step. Nil when all images were seen, or when training cannot go on; `failure` then says why.
    public func next() -> TrainingStep? {
        guard state.imagesSeen < configuration.images, failure == nil, data.count > 0 else { return nil }
        let batch = TrainingBatch(configuration, model.description.cohort, data: data, imagesSeen: state.imagesSeen)
        let parts = trainedParts(batch)
        var (losses, gradients) = differentiated(batch, at: state.parameters)
        let means = losses.map { Double(Variable($0).mean().tensor.scalar) }, loss = means.reduce(0, +)
        guard loss.isFinite else {
            failure = nonFinite(batch, losses)
            return nil
        }
        if configuration.proximalWeight > 0 { pull(&gradients) }
        let norm = gradients.reduce(0) { $0 + $1.sumOfSquares }.squareRoot()
        guard norm.isFinite else {
            failure = nonFinite(batch, losses)
            return nil
        }
        let seen = state.imagesSeen + configuration.batchSize
        let rate = configuration.learningRate(at: seen)
        var settings = AdamSettings(
            learningRate: rate,
            averageDecays: configuration.averageLengths.map { configuration.averageDecay($0, at: seen) })
        settings.beta1 = Float(configuration.beta1)
        settings.beta2 = Float(configuration.beta2)
        settings.weightDecay = Float(configuration.weightDecay)
        settings.gradientScale = Float(Swift.min(1, configuration.gradientClip / Swift.max(norm, 1e-12)))
        state.apply(gradients, settings, imagesSeen: seen)
        return TrainingStep(
            imagesSeen: seen, loss: loss,
            expertLosses: Dictionary(uniqueKeysWithValues: zip(parts.map(\.name), means).filter { $0.0 != "" }),
            losses: losses[0].elements, sigmas: parts[0].pictures.sigma, gradientNorm: norm, learningRate: rate)
    }

    /// Adds mu (w - w0), the gradient of the proximal term. w0 is the base; for an adapter it is zero.
    private func pull(_ gradients: inout [Tensor]) {
        let strength = Float(configuration.proximalWeight), origin = tuning.origin
        for i in gradients.indices {
            guard let start = origin?[i] else {
                gradients[i] = gradients[i] + state.parameters.tensors[i].scaled(by: strength)
                continue
            }
            gradients[i] = gradients[i] + (state.parameters.tensors[i] - start).scaled(by: strength)
        }
    }

    /// Computes a step with this many pictures without changing anything, to measure the memory that it takes.
    func probe(pictures: Int) {
        var configuration = configuration
        configuration.batchSize = pictures
        let batch = TrainingBatch(configuration, model.description.cohort, data: data, imagesSeen: state.imagesSeen)
        _ = differentiated(batch, at: state.parameters)
    }

    /// The networks that are trained, with their names and their pictures in a batch; the first one's name is empty.
    private func trainedParts(_ batch: TrainingBatch) -> [(name: String, expert: Expert, pictures: NoisyPictures)] {
        let networks = zip(model.networks, [batch.whole] + batch.experts)
        let all = zip([""] + configuration.experts.map(\.name), networks).map { ($0, $1.0, $1.1) }
        return configuration.trainsGuidingAlone ? [all[all.count - 1]] : all
    }

    /// The losses of the pictures or crops of a batch for each network that is trained, [N, 1, 1, 1], and the
    /// gradients of the sum of their means by the trained parameters.
    ///
    /// The networks are computed one after the other, so that the activations of only one network are held.
    package func differentiated(_ batch: TrainingBatch, at parameters: ParameterMap) -> (
        losses: [Tensor], gradients: [Tensor]
    ) {
        var losses: [Tensor] = [], sums = [Tensor?](repeating: nil, count: parameters.tensors.count)
        let isTrained = parameters.specifications.map {
            !configuration.trainsGuidingAlone || $0.path.hasPrefix(ModelDescription.guidingName + ".")
        }
        for (_, expert, pictures) in trainedParts(batch) {
            let tape = Tape()
            let (trained, network) = tuning.variables(parameters, on: tape, recompute: configuration.recompute)
            let own = expert.losses(
                clean: pictures.clean, noise: pictures.noise, sigma: pictures.sigma, maps: pictures.maps,
                cohorts: pictures.cohorts,
                changes: pictures.changes, network)
            losses.append(own.tensor)
            for (i, gradient) in tape.knownGradients(of: own.mean(), for: trained).enumerated() {
                guard let gradient, isTrained[i] else { continue }
                sums[i] = sums[i].map { $0 + gradient } ?? gradient
            }
        }
        return (losses, zip(sums, parameters.tensors).map { $0 ?? .zeros($1.shape) })
    }

    /// The network's parameters according to one of the moving averages.
    func network(average: Int) -> ParameterMap { tuning.network(state.averages[average]) }

    private func nonFinite(_ batch: TrainingBatch, _ losses: [Tensor]) -> Failure {
        var which: [String] = []
        for (pictures, losses) in zip(trainedParts(batch).map(\.pictures), losses) {
            let each = Swift.max(1, pictures.sigma.count / Swift.max(1, batch.names.count))
            for (row, loss) in losses.elements.enumerated() where !loss.isFinite {
                which.append("\(batch.names[row / each]) at sigma \(pictures.sigma[row])")
            }
        }
        // A gradient that is not finite does not tell which picture caused it, so all are named.
        if which.isEmpty { which = batch.names.indices.map { "\(batch.names[$0]) at sigma \(batch.whole.sigma[$0])" } }
        return Failure(
            .badData, nil,
            """
            training stopped at step \(state.step + 1) (\(state.imagesSeen) images seen): the loss or its gradient is \
            not finite, with \(which.prefix(4).joined(separator: ", ")); lower learningRate in the configuration
            """, remedy: .resume)
    }

    /// The mean validation loss over `set` of a network with `parameters`.
    public func validationLoss(_ parameters: ParameterMap, _ set: TrainingSet, draws: Int = 3) -> Double {
        let losses = model.validationLosses(parameters, set, configuration, draws: draws)
        return losses.reduce(0, +) / Double(Swift.max(1, losses.count))
    }
}

/// Joins tensors along the first axis.
package func stacked(_ tensors: [Tensor]) -> Tensor {
    var shape = tensors[0].shape
    shape[0] = tensors.reduce(0) { $0 + $1.shape[0] }
    return Tensor(shape: shape) { target in
        var offset = 0
        for tensor in tensors {
            tensor.withUnsafeBuffer { source in
                for i in source.indices { target[offset + i] = source[i] }
                offset += source.count
            }
        }
    }
}
