import Diffusion
import Networks
import TensorCore

/// How well a model takes noise off photographs that it did not learn from: a measure in pixels, which recipes share
/// whatever their space, preconditioning and weights.
public struct DenoisingError: Codable, Hashable, Sendable {
    /// Deviation of white noise on pixels in [-1, 1].
    public let sigma: Double
    /// Root of the mean squared difference from the clean picture, over all pixels, in the same unit.
    public let error: Double

    static let sigmas = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6]
}

extension Trainer {
    /// The error of `parameters` on every photograph of `set`, with noise that is the same each time.
    public func denoisingErrors(_ parameters: ParameterMap, _ set: TrainingSet) -> [DenoisingError] {
        let parameters = parameters.constants(), space = configuration.space, shape = model.description.latentShape(1)
        return DenoisingError.sigmas.map { sigma in
            var sum = 0.0
            for start in stride(from: 0, to: set.count, by: configuration.batchSize) {
                let indices = Array(start..<Swift.min(start + configuration.batchSize, set.count))
                let clean = space.encoded(set.pictures(indices, mirrored: indices.map { _ in false }))
                let noise = stacked(indices.map { index in
                    var random = Philox(seed: 1, stream: .validationNoise, index: UInt64(index))
                    return Tensor(shape: shape) { random.fillNormal($0) }
                })
                let level = Float(sigma) * space.noiseScale
                let denoiser = ModelDenoiser(model, parameters, cohorts: indices.map { set.values[$0] })
                sum += (denoiser.denoised(clean + noise.scaled(by: level), sigma: level) - clean).sumOfSquares
            }
            // The transform is orthonormal but for its scale.
            let pixels = Double(set.count * shape.reduce(1, *))
            return DenoisingError(sigma: sigma, error: (sum / Swift.max(1, pixels)).squareRoot() / Double(space.noiseScale))
        }
    }
}
