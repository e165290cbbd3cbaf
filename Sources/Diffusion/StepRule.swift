import Foundation
import TensorCore

/// How a sampler goes from one noise level to the next: all that samplers differ in.
public protocol StepRule: Sendable {
    /// The state at `next`, which is below `sigma` and may be 0.
    ///
    /// - Parameters:
    ///   - x: the state at `sigma`, [N, H, W, C].
    ///   - denoiser: evaluated once or twice.
    ///   - noise: gives standard normal numbers of the shape of `x`, new ones at each call.
    mutating func step(
        _ x: Tensor, from sigma: Float, to next: Float, _ denoiser: some Denoiser, noise: () -> Tensor
    ) -> Tensor
}

/// dx/dsigma = (x - D(x; sigma)) / sigma, the probability flow (Karras et al. 2022, equation 3).
private func slope(_ x: Tensor, _ sigma: Float, _ denoised: Tensor) -> Tensor { (x - denoised).scaled(by: 1 / sigma) }

/// Heun's second-order step (Karras et al. 2022, algorithm 1); to 0 it is Euler's.
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

/// DPM-Solver++(2M) (Lu et al. 2022, algorithm 2, with data prediction): second order from one evaluation a step, by
/// the denoised picture of the step before. With noise it is SDE-DPM-Solver++(2M) (the same, section 4.3): each step
/// takes off more than the next level asks for and puts fresh noise in its place, which corrects what earlier steps got
/// wrong.
public struct DPMSolverStep: StepRule {
    private let addsNoise: Bool
    private var before: (denoised: Tensor, logWidth: Float)?

    public init(addsNoise: Bool = false) { self.addsNoise = addsNoise }

    public mutating func step(
        _ x: Tensor, from sigma: Float, to next: Float, _ denoiser: some Denoiser, noise: () -> Tensor
    ) -> Tensor {
        let denoised = denoiser.denoised(x, sigma: sigma)
        if next == 0 { return denoised }
        // lambda = -ln(sigma) for noise that is added to the picture; h is the step's width in it.
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

/// Euler's step with fresh noise at each level (ancestral sampling: Song et al. 2021, reverse diffusion in the terms of
/// sigma): the step goes below `next`, to sigmaDown, and noise of deviation sigmaUp brings it back.
public struct EulerAncestralStep: StepRule {
    public init() {}

    public func step(
        _ x: Tensor, from sigma: Float, to next: Float, _ denoiser: some Denoiser, noise: () -> Tensor
    ) -> Tensor {
        let denoised = denoiser.denoised(x, sigma: sigma)
        if next == 0 { return denoised }
        // next^2 = sigmaDown^2 + sigmaUp^2, with sigmaDown = next^2 / sigma: the posterior's deviation.
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

    public var rule: any StepRule {
        switch self {
        case .heun: HeunStep()
        case .dpmpp: DPMSolverStep()
        case .dpmppSDE: DPMSolverStep(addsNoise: true)
        case .euler: EulerAncestralStep()
        }
    }

    /// Network evaluations of so many steps, without guidance.
    public func evaluations(steps: Int) -> Int { self == .heun ? 2 * steps - 1 : steps }

    /// Whether it adds noise on the way.
    public var isRandom: Bool { self == .euler || self == .dpmppSDE }

    /// The sampler that measured best for models of this kind, and its steps; see docs/recipes.md.
    public static func usual(for model: ModelDescription) -> (kind: SamplerKind, steps: Int) {
        model.experts.isEmpty ? (.heun, 18) : (.dpmppSDE, 40)
    }
}

/// A sampling run as a sequence of states, one a step of the schedule.
public struct DiffusionSampler<D: Denoiser>: Sequence, IteratorProtocol {
    private let denoiser: D
    private let sigmas: [Float]
    private let noise: () -> Tensor
    private var rule: any StepRule
    private var x: Tensor
    private var position = 0

    /// - Parameters:
    ///   - start: [N, H, W, C], standard normal; multiplied by the first sigma here.
    ///   - noise: see `StepRule.step`; only called by rules that are random.
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

    /// The state after the next step; nil when sigma 0 was reached.
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
