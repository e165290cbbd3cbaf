import TensorCore

/// Heun's second-order sampler without added noise (Karras et al. 2022, algorithm 1), as a sequence of states.
///
/// Costs 2 steps - 1 network evaluations: the last step, to sigma 0, is Euler's.
public struct HeunSampler<D: Denoiser>: Sequence, IteratorProtocol {
    private let denoiser: D
    private let sigmas: [Float]
    private var x: Tensor
    private var step = 0

    /// - Parameter noise: [N, H, W, C], standard normal; multiplied by the first sigma here.
    public init(_ denoiser: D, schedule: SigmaSchedule, noise: Tensor) {
        self.denoiser = denoiser
        sigmas = schedule.sigmas
        x = noise.scaled(by: sigmas[0])
    }

    /// The state after the next step; nil when sigma 0 was reached.
    public mutating func next() -> Tensor? {
        guard step + 1 < sigmas.count else { return nil }
        let sigma = sigmas[step], following = sigmas[step + 1]
        // d = (x - D(x; sigma)) / sigma, the slope dx/dsigma (equation 3).
        let slope = (x - denoiser.denoised(x, sigma: sigma)).scaled(by: 1 / sigma)
        let width = following - sigma
        let euler = x + slope.scaled(by: width)
        if following == 0 {
            x = euler
        } else {
            let end = (euler - denoiser.denoised(euler, sigma: following)).scaled(by: 1 / following)
            x = x + (slope + end).scaled(by: width / 2)
        }
        step += 1
        return x
    }
}
