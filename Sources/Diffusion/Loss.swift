import Networks
import TensorCore

extension Expert {
    /// The weighted denoising loss of each picture: lambda(sigma) times the mean of (D(y + sigma n; sigma) - y)^2
    /// (Karras et al. 2022, equations 2 and 8). Of a network that says what is black, the cross-entropy of that is added.
    ///
    /// - Parameters:
    ///   - clean, noise: [N, H, W, C].
    ///   - sigma: [N].
    ///   - changes: see `denoised`.
    /// - Returns: [N, 1, 1, 1].
    package func losses(
        clean: Tensor, noise: Tensor, sigma: [Float], cohorts: [[CohortEncoding.Value]], changes: Tensor? = nil,
        _ parameters: BoundParameters
    ) -> Variable {
        let levels = Tensor(sigma, shape: [sigma.count, 1, 1, 1])
        let noisy = clean + noise * levels
        let p = preconditioning
        if p.gatesSurround {
            let raw = output(Variable(noisy), sigma: sigma, cohorts: cohorts, changes: changes, parameters)
            return head(sigma).losses(raw, noisy, clean: clean, weights: sigma.map(pictureWeight))
        }
        let error = denoised(Variable(noisy), sigma: sigma, cohorts: cohorts, changes: changes, parameters) - Variable(clean)
        if p.relativeLoss || p.bandWeighting == 0 {
            // One weight for all channels: less to multiply.
            let weights = Tensor(sigma.map(pictureWeight), shape: [sigma.count, 1, 1, 1])
            return error.squared().mean(axes: [1, 2, 3]) * Variable(weights)
        }
        return (error.squared() * Variable(p.column(sigma, p.lossWeight))).mean(axes: [1, 2, 3])
    }

    /// The weight of a picture's mean squared error where it is one for all channels.
    private func pictureWeight(_ sigma: Float) -> Float {
        preconditioning.relativeLoss
            ? preconditioning.relativeWeight(sigma) : preconditioning.lossWeight(sigma, deviation: preconditioning.sigmaData)
    }

    /// The weighted squared error of each picture as a sampler would denoise it, [N, 1, 1, 1]: `losses` without what trains the gate.
    /// Of a network without a gate the two are the same.
    func errors(
        clean: Tensor, noise: Tensor, sigma: [Float], cohorts: [[CohortEncoding.Value]], _ parameters: BoundParameters
    ) -> Variable {
        guard preconditioning.gatesSurround else {
            return losses(clean: clean, noise: noise, sigma: sigma, cohorts: cohorts, parameters)
        }
        let noisy = clean + noise * Tensor(sigma, shape: [sigma.count, 1, 1, 1])
        let error = denoised(Variable(noisy), sigma: sigma, cohorts: cohorts, parameters) - Variable(clean)
        let weights = Tensor(sigma.map(pictureWeight), shape: [sigma.count, 1, 1, 1])
        return error.squared().mean(axes: [1, 2, 3]) * Variable(weights)
    }
}
