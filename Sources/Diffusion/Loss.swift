import Foundation
import Networks
import TensorCore

/// The log-normal distribution of training noise levels: ln(sigma) ~ N(mean, deviation^2) (Karras et al. 2022, table 1).
public struct NoiseLevels: Codable, Hashable, Sendable {
    public var mean: Double
    public var deviation: Double

    public init(mean: Double = -1.2, deviation: Double = 1.2) {
        self.mean = mean
        self.deviation = deviation
    }

    public func sigma(_ random: inout Philox) -> Float {
        Float(exp(mean + deviation * random.nextNormal()))
    }
}

extension DiffusionModel {
    /// The weighted denoising loss of each picture: lambda(sigma) times the mean of (D(y + sigma n; sigma) - y)^2
    /// (Karras et al. 2022, equations 2 and 8).
    ///
    /// - Parameters:
    ///   - clean, noise: [N, H, W, C].
    ///   - sigma: [N].
    /// - Returns: [N, 1, 1, 1].
    public func losses(
        clean: Tensor, noise: Tensor, sigma: [Float], cohorts: [[CohortEncoding.Value]], _ parameters: BoundParameters
    ) -> Variable {
        let levels = Tensor(sigma, shape: [sigma.count, 1, 1, 1])
        let noisy = clean + noise * levels
        let error = denoised(Variable(noisy), sigma: sigma, cohorts: cohorts, parameters) - Variable(clean)
        let p = description.preconditioning
        if p.bandWeighting == 0 {
            // One weight for all channels: less to multiply.
            let weights = sigma.map { p.lossWeight($0, deviation: p.sigmaData) }
            return error.squared().mean(axes: [1, 2, 3]) * Variable(Tensor(weights, shape: [sigma.count, 1, 1, 1]))
        }
        return (error.squared() * Variable(p.column(sigma, p.lossWeight))).mean(axes: [1, 2, 3])
    }
}
