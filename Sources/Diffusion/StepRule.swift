import Foundation
import TensorCore

/// How a sampler goes from one noise level to the next. Samplers differ only in this.
public protocol StepRule: Sendable {
    /// The state at the noise level `next`, which is below `sigma` and may be 0.
    ///
    /// - Parameters:
    ///   - x: the state at `sigma`, [N, H, W, C].
    ///   - denoiser: evaluated once or twice.
    ///   - noise: gives standard normal numbers of the shape of `x`, new numbers at each call.
    mutating func step(
        _ x: Tensor, from sigma: Float, to next: Float, _ denoiser: some Denoiser, noise: () -> Tensor
    ) -> Tensor
}

/// The derivative of the probability flow, dx/dsigma = (x - D(x; sigma)) / sigma (Karras et al. 2022, equation 3).
private func slope(_ x: Tensor, _ sigma: Float, _ denoised: Tensor) -> Tensor { (x - denoised).scaled(by: 1 / sigma) }

/// Heun's second-order step (Karras et al. 2022, algorithm 1). The step to 0 is Euler's.
public struct HeunStep: StepRule {
    public init() {}

    public func step(
        _ x: Tensor, from sigma: Float, to next: Float, _ denoiser: some Denoiser, noise: () -> Tensor
    ) -> Tensor {
        let start = slope(x, sigma, denoiser.denoised(x, sigma: sigma))
        let width = next - sigma
        let euler = x + start.scaled(by: width)
        if next == 0 { return euler }
        let end = slope(euler, next, denoiser.denoised(euler, sigma: next))
        return x + (start + end).scaled(by: width / 2)
    }
}

/// DPM-Solver++(2M) (Lu et al. 2022, algorithm 2, with data prediction). It is of second order with one evaluation in
/// each step, because it also uses the denoised picture of the step before. With noise it is SDE-DPM-Solver++(2M) (same
/// paper, section 4.3): each step removes more noise than needed for the next level and adds fresh noise instead, which
/// corrects errors of earlier steps.
///
/// A young network denoises too smoothly, so that each step takes away a little more than noise. `gain` gives it back:
/// fresh noise is that many times as strong as the level asks for (S_noise of Karras et al. 2022, section 4).
public struct DPMSolverStep: StepRule {
    private let addsNoise: Bool, gain: NoiseGain?
    private var before: (denoised: Tensor, logWidth: Float)?

    public init(addsNoise: Bool = false, gain: NoiseGain? = nil) { (self.addsNoise, self.gain) = (addsNoise, gain) }

    public mutating func step(
        _ x: Tensor, from sigma: Float, to next: Float, _ denoiser: some Denoiser, noise: () -> Tensor
    ) -> Tensor {
        let denoised = denoiser.denoised(x, sigma: sigma)
        if next == 0 { return denoised }
        // lambda = -ln(sigma), because noise is added to an unscaled picture; h is the width of the step in lambda.
        let h = log(sigma / next)
        var direction = denoised
        if let before {
            let ratio = before.logWidth / h
            direction = denoised.scaled(by: 1 + 1 / (2 * ratio)) - before.denoised.scaled(by: 1 / (2 * ratio))
        }
        before = (denoised, h)
        guard addsNoise else { return x.scaled(by: next / sigma) - direction.scaled(by: expm1(-h)) }
        let fresh = -expm1(-2 * h)
        return x.scaled(by: (next / sigma) * (next / sigma)) + direction.scaled(by: fresh)
            + noise().scaled(by: next * fresh.squareRoot() * (gain?.factor(at: next) ?? 1))
    }
}

/// How much stronger than a noise level asks for fresh noise is, at the levels below another one.
public struct NoiseGain: Codable, Hashable, Sendable {
    public var factor: Float
    /// Noise levels below this one have the gain.
    public var below: Float

    public init(factor: Float, below: Float) { (self.factor, self.below) = (factor, below) }

    func factor(at level: Float) -> Float { level < below ? factor : 1 }

    public static let factors: ClosedRange<Float> = 1...1.2
}

/// Euler's step with fresh noise at each level (ancestral sampling: Song et al. 2021, reverse diffusion in terms of
/// sigma). The step goes to sigmaDown, which is below `next`, and noise of deviation sigmaUp raises the level to
/// `next`.
public struct EulerAncestralStep: StepRule {
    public init() {}

    public func step(
        _ x: Tensor, from sigma: Float, to next: Float, _ denoiser: some Denoiser, noise: () -> Tensor
    ) -> Tensor {
        let denoised = denoiser.denoised(x, sigma: sigma)
        if next == 0 { return denoised }
        // next^2 = sigmaDown^2 + sigmaUp^2, where sigmaDown = next^2 / sigma.
        let down = next * next / sigma
        let up = next * (1 - (next / sigma) * (next / sigma)).squareRoot()
        return x + slope(x, sigma, denoised).scaled(by: down - sigma) + noise().scaled(by: up)
    }
}

/// The samplers by name.
public enum SamplerKind: String, Codable, CaseIterable, Sendable {
    case heun
    case dpmpp
    case dpmppSDE = "dpmpp-sde"
    case euler = "euler-ancestral"

    /// A new rule of this sampler.
    /// - Parameter gain: used by `dpmppSDE` alone.
    public func rule(gain: NoiseGain? = nil) -> any StepRule {
        switch self {
        case .heun: HeunStep()
        case .dpmpp: DPMSolverStep()
        case .dpmppSDE: DPMSolverStep(addsNoise: true, gain: gain)
        case .euler: EulerAncestralStep()
        }
    }

    /// The number of network evaluations in this many steps, without guidance.
    public func evaluations(steps: Int) -> Int { self == .heun ? 2 * steps - 1 : steps }

}

/// The best sampling in measurements for models of one kind; see docs/recipes.md.
public struct UsualSampling: Sendable {
    public var kind = SamplerKind.heun
    public var steps = 18
    public var gain: NoiseGain?
    public var autoguidance: Autoguidance?

    public init(for model: ModelDescription) {
        guard !model.experts.isEmpty else { return }
        (kind, steps) = (.dpmppSDE, 40)
        let scale = model.space.noiseScale
        if model.guiding == nil {
            gain = NoiseGain(factor: 1.025, below: 4 * scale)
        } else {
            // Autoguidance keeps vessels by itself. Only the finest octaves still need the gain.
            gain = NoiseGain(factor: 1.04, below: 0.2 * scale)
            autoguidance = Autoguidance(scale: 1.4, for: model)
        }
    }
}

/// A sampling run as a sequence of states: one state after each step of the schedule.
public struct DiffusionSampler<D: Denoiser>: Sequence, IteratorProtocol {
    private let denoiser: D
    private let sigmas: [Float]
    private let noise: () -> Tensor
    private var rule: any StepRule
    private var x: Tensor
    private var position = 0

    /// - Parameters:
    ///   - start: [N, H, W, C], standard normal numbers; the sampler multiplies them by the first sigma.
    ///   - noise: see `StepRule.step`; only random rules call it.
    public init(
        _ denoiser: D, _ rule: any StepRule, schedule: SigmaSchedule, start: Tensor,
        noise: @escaping () -> Tensor = { fatalError("DiffusionSampler: this rule needs noise") }
    ) {
        self.denoiser = denoiser
        self.rule = rule
        self.noise = noise
        sigmas = schedule.sigmas
        x = start.scaled(by: sigmas[0])
    }

    /// The state after the next step; nil after sigma has reached 0.
    public mutating func next() -> Tensor? {
        guard position + 1 < sigmas.count else { return nil }
        x = rule.step(x, from: sigmas[position], to: sigmas[position + 1], denoiser, noise: noise)
        position += 1
        return x
    }

    /// The last state.
    public consuming func last() -> Tensor {
        while next() != nil {}
        return x
    }
}
