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
            let weights = sigma.map { p.relativeLoss ? p.relativeWeight($0) : p.lossWeight($0, deviation: p.sigmaData) }
            return head(sigma).losses(raw, noisy, clean: clean, weights: weights)
        }
        let error = denoised(Variable(noisy), sigma: sigma, cohorts: cohorts, changes: changes, parameters) - Variable(clean)
        if p.relativeLoss || p.bandWeighting == 0 {
            // One weight for all channels: less to multiply.
            let weights = sigma.map { p.relativeLoss ? p.relativeWeight($0) : p.lossWeight($0, deviation: p.sigmaData) }
            return error.squared().mean(axes: [1, 2, 3]) * Variable(Tensor(weights, shape: [sigma.count, 1, 1, 1]))
        }
        return (error.squared() * Variable(p.column(sigma, p.lossWeight))).mean(axes: [1, 2, 3])
    }
}
