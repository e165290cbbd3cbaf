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
public struct DPMSolverStep: StepRule {
    private let addsNoise: Bool
    private var before: (denoised: Tensor, logWidth: Float)?

    public init(addsNoise: Bool = false) { self.addsNoise = addsNoise }

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
            + noise().scaled(by: next * fresh.squareRoot())
    }
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
    public var rule: any StepRule {
        switch self {
        case .heun: HeunStep()
        case .dpmpp: DPMSolverStep()
        case .dpmppSDE: DPMSolverStep(addsNoise: true)
        case .euler: EulerAncestralStep()
        }
    }

    /// The number of network evaluations in this many steps, without guidance.
    public func evaluations(steps: Int) -> Int { self == .heun ? 2 * steps - 1 : steps }

    /// The best sampler in measurements for models of this kind, and its number of steps; see docs/recipes.md.
    public static func usual(for model: ModelDescription) -> (kind: SamplerKind, steps: Int) {
        model.experts.isEmpty ? (.heun, 18) : (.dpmppSDE, 40)
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
