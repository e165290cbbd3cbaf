import Diffusion
import Foundation
import Randomness
import TensorCore
import TestTensors
import Testing

/// D(x; sigma) of independent pixels, each of a mixture of two normal distributions.
struct MixtureDenoiser: Denoiser {
    static let weights = [0.3, 0.7], means = [-1.0, 0.6], deviations = [0.2, 0.4]

    func denoised(_ x: Tensor, sigma: Float) -> Tensor {
        let s2 = Double(sigma) * Double(sigma)
        return Tensor(
            x.elements.map { value in
                let x = Double(value)
                var total = 0.0, sum = 0.0
                for k in 0..<2 {
                    let own = MixtureDenoiser.deviations[k] * MixtureDenoiser.deviations[k], variance = own + s2
                    let distance = x - MixtureDenoiser.means[k]
                    let density =
                        MixtureDenoiser.weights[k] / variance.squareRoot() * exp(-distance * distance / (2 * variance))
                    total += density
                    sum += density * (MixtureDenoiser.means[k] + own / variance * distance)
                }
                return total > 0 ? Float(sum / total) : value
            }, shape: x.shape)
    }

    /// The distribution function of x at noise level sigma.
    static func distribution(_ x: Double, _ sigma: Double) -> Double {
        (0..<2).reduce(0) { sum, k in
            let deviation = (deviations[k] * deviations[k] + sigma * sigma).squareRoot()
            return sum + weights[k] * 0.5 * erfc(-(x - means[k]) / (deviation * 2.0.squareRoot()))
        }
    }

    /// Where the probability flow takes x from one level to another: to the same quantile.
    static func flow(_ x: Double, from: Double, to: Double) -> Double {
        let quantile = distribution(x, from)
        var low = -1000.0, high = 1000.0
        for _ in 0..<200 {
            let middle = (low + high) / 2
            if distribution(middle, to) < quantile { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}

@Suite struct StepRuleTests {
    private let start = Tensor((0..<33).map { -2 + 4 * Float($0) / 32 }, shape: [1, 1, 33, 1])

    /// The error at sigmaMin, before the last, Euler step to 0.
    private func error(_ kind: SamplerKind, steps: Int) -> Double {
        let schedule = SigmaSchedule.karras(steps: steps, sigmaMin: 0.3, sigmaMax: 20)
        let states = Array(DiffusionSampler(MixtureDenoiser(), kind.rule(), schedule: schedule, start: start))
        #expect(states.count == steps)
        let exact = start.elements.map { MixtureDenoiser.flow(20 * Double($0), from: 20, to: 0.3) }
        return relativeDifference(states[steps - 2].elements.map(Double.init), exact)
    }

    /// A normal distribution of mean 1 and deviation 0.1.
    private struct OffCentre: Denoiser {
        func denoised(_ x: Tensor, sigma: Float) -> Tensor {
            Tensor(x.elements.map { (sigma * sigma + 0.01 * $0) / (sigma * sigma + 0.01) }, shape: x.shape)
        }
    }

    /// A sampler starts with noise alone; from a level that is high enough its first step takes in the mean of the
    /// pictures.
    @Test func aHigherStartTakesInTheMean() {
        let noise = Tensor([-1.5, -0.5, 0.5, 1.5], shape: [1, 1, 4, 1])
        func mean(_ start: Float?) -> Double {
            let schedule = SigmaSchedule.karras(steps: 12, sigmaMin: 0.01, sigmaMax: 0.5, start: start)
            #expect(schedule.steps == 12)
            let last = DiffusionSampler(OffCentre(), DPMSolverStep(), schedule: schedule, start: noise).last()
            return last.elements.reduce(0) { $0 + Double($1) } / 4
        }
        // The flow takes 0 at sigma to 1 - 0.1 / (0.01 + sigma^2)^(1/2).
        #expect(abs(mean(nil) - 0.804) <= 0.01)
        #expect(abs(mean(4) - (1 - 0.196 / 8)) <= 0.01)
        #expect(SigmaSchedule.karras(steps: 1, start: 200) == SigmaSchedule.karras(steps: 1))
        #expect(SigmaSchedule.karras(steps: 4, start: 200).sigmas == [200] + SigmaSchedule.karras(steps: 3).sigmas)
        #expect(NoiseLevels(uniformShare: 0.4, lowest: 0.1, highest: 80).start(above: 10) == 80)
        #expect(
            NoiseLevels(uniformShare: 0.4, lowest: 0.1, highest: 10).start(above: 10) == nil
                && NoiseLevels().start(above: 10) == nil)
    }

    /// From sigmaMax to sigmaMin the error falls with the square of the step.
    @Test(arguments: [SamplerKind.heun, .dpmpp]) func orderOfConvergence(_ kind: SamplerKind) {
        let errors = [32, 64, 128].map { error(kind, steps: $0) }
        for (coarse, fine) in zip(errors, errors.dropFirst()) {
            let order = log2(coarse / fine)
            #expect(order > 1.75 && order < 2.4, "\(kind): \(errors), order \(order)")
        }
        #expect(errors[2] <= 2e-3, "\(errors)")
    }

    /// The multistep rule needs half of Heun's evaluations for about its error; were its history lost, it would be of
    /// first order.
    @Test func costs() {
        #expect(SamplerKind.heun.evaluations(steps: 18) == 35)
        #expect(SamplerKind.dpmpp.evaluations(steps: 18) == 18)
        for kind in SamplerKind.allCases {
            let counting = CountingDenoiser()
            let last = DiffusionSampler(counting, kind.rule(), schedule: .karras(steps: 5), start: start) { start }
                .last()
            #expect(last.shape == start.shape)
            #expect(counting.count == kind.evaluations(steps: 5), "\(kind)")
        }
    }

    private final class CountingDenoiser: Denoiser {
        private(set) var count = 0

        func denoised(_ x: Tensor, sigma: Float) -> Tensor {
            count += 1
            return x.scaled(by: 0.5)
        }
    }

    /// Samples that noise is added to on the way have the mixture's moments; their noise is new at each step. The
    /// second order of SDE-DPM-Solver++ needs a third of the steps.
    @Test(arguments: [(SamplerKind.euler, 150), (.dpmppSDE, 50)]) func moments(_ kind: SamplerKind, _ steps: Int) {
        let count = 40_000
        var random = Philox(seed: 3, stream: .tests, index: 0)
        func noise() -> Tensor { Tensor(shape: [1, 1, count, 1]) { random.fillNormal($0) } }
        let first = noise()
        let samples = DiffusionSampler(
            MixtureDenoiser(), kind.rule(), schedule: .karras(steps: steps, sigmaMin: 0.01), start: first, noise: noise
        ).last().elements.map(Double.init)
        let mean = samples.reduce(0, +) / Double(count)
        func moment(_ power: Double) -> Double { samples.reduce(0) { $0 + pow($1 - mean, power) } / Double(count) }
        // 0.3 x -1 + 0.7 x 0.6; variance 0.3 x 0.04 + 0.7 x 0.16 + 0.21 x 1.6^2.
        let variance = 0.012 + 0.112 + 0.21 * 2.56
        let third = (0..<2).reduce(0.0) { sum, k in
            let d = MixtureDenoiser.means[k] - 0.12, s2 = MixtureDenoiser.deviations[k] * MixtureDenoiser.deviations[k]
            return sum + MixtureDenoiser.weights[k] * (d * d * d + 3 * d * s2)
        }
        // Four standard errors of 40,000 samples, and as much again for the steps.
        #expect(abs(mean - 0.12) <= 0.035, "\(mean)")
        #expect(abs(moment(2) - variance) <= 0.03, "\(moment(2)) for \(variance)")
        #expect(abs(moment(3) - third) <= 0.05, "\(moment(3)) for \(third)")
    }

    /// next^2 = sigmaDown^2 + sigmaUp^2: with D = x nothing is removed, and the noise alone is added.
    @Test func ancestralNoiseIsUpToTheNextLevel() {
        struct Keeps: Denoiser {
            func denoised(_ x: Tensor, sigma: Float) -> Tensor { x }
        }
        let x = Tensor.zeros([1, 1, 1, 2]), ones = Tensor(repeating: 1, shape: [1, 1, 1, 2])
        let moved = EulerAncestralStep().step(x, from: 2, to: 1, Keeps()) { ones }
        #expect(moved.elements.allSatisfy { abs($0 - Float(0.75).squareRoot()) <= 1e-6 })
        #expect(EulerAncestralStep().step(x, from: 2, to: 0, Keeps()) { ones }.elements == [0, 0])
    }

    /// With D = 0 the noise of the start is taken off twice over, and fresh noise fills it up to the next level.
    @Test func noiseOfTheStochasticSolver() {
        struct Nothing: Denoiser {
            func denoised(_ x: Tensor, sigma: Float) -> Tensor { Tensor.zeros(x.shape) }
        }
        let x = Tensor(repeating: 2, shape: [1, 1, 1, 2]), ones = Tensor(repeating: 1, shape: [1, 1, 1, 2])
        var rule = DPMSolverStep(addsNoise: true)
        let moved = rule.step(x, from: 2, to: 1, Nothing()) { ones }
        // 2 (1/2)^2 of the start, and 1 (1 - (1/2)^2)^(1/2) of fresh noise.
        #expect(moved.elements.allSatisfy { abs($0 - 0.5 - Float(0.75).squareRoot()) <= 1e-6 })
        #expect(rule.step(moved, from: 1, to: 0, Nothing()) { ones }.elements == [0, 0])
    }

    /// Below its level, the gain makes the fresh noise stronger, and nothing else.
    @Test func gainOfFreshNoise() {
        let x = Tensor(repeating: 2, shape: [1, 1, 1, 2]), ones = Tensor(repeating: 1, shape: [1, 1, 1, 2])
        struct Half: Denoiser {
            func denoised(_ x: Tensor, sigma: Float) -> Tensor { x.scaled(by: 0.5) }
        }
        func moved(_ gain: NoiseGain?, to next: Float) -> Float {
            var rule = DPMSolverStep(addsNoise: true, gain: gain)
            return rule.step(x, from: 2, to: next, Half()) { ones }.elements[0]
        }
        let gain = NoiseGain(factor: 1.1, below: 1)
        #expect(moved(gain, to: 1) == moved(nil, to: 1))
        // The fresh noise is 0.5 (1 - (1/4)^2)^(1/2).
        let fresh = 0.5 * Float(0.9375).squareRoot()
        #expect(abs(moved(gain, to: 0.5) - moved(nil, to: 0.5) - 0.1 * fresh) <= 1e-6)
    }

    private struct Constant: Denoiser {
        let value: Float
        func denoised(_ x: Tensor, sigma: Float) -> Tensor { Tensor(repeating: value, shape: x.shape) }
    }

    /// Each kind of guidance adds its own difference, at its own noise levels.
    @Test func autoguidanceAddsItsDifference() {
        let x = Tensor.zeros([1, 1, 1, 1]), settings = Autoguidance(scale: 1.5, levels: 0.3...2)
        func values(_ scale: Float, _ interval: ClosedRange<Float>?) -> [Float] {
            let guided = GuidedDenoiser(
                conditional: Constant(value: 3), unconditional: Constant(value: 1), guidanceScale: scale,
                interval: interval, guiding: Constant(value: 2.5), autoguidance: settings)
            return [0.2, 0.3, 1, 2, 2.1].map { guided.denoised(x, sigma: $0).elements[0] }
        }
        #expect(values(1, nil) == [3, 3.25, 3.25, 3.25, 3])
        #expect(values(2, 0.5...3) == [3, 3.25, 5.25, 5.25, 5])
    }

    @Test(
        arguments: [
            (0.9, 0.3, 2, "expected a scale from 1 to 4, found 0.9"),
            (1.5, 0, 2, "expected noise levels above 0 and up to 10000, found 0.0...2.0"),
            (1.5, 0.3, 2, nil),
        ] as [(Float, Float, Float, String?)])
    func autoguidanceHasLimits(_ scale: Float, _ low: Float, _ high: Float, _ problem: String?) {
        #expect(Autoguidance(scale: scale, levels: low...high).problem == problem)
    }

    @Test func guidanceActsInItsInterval() {
        let guided = GuidedDenoiser(
            conditional: Constant(value: 3), unconditional: Constant(value: 1), guidanceScale: 2, interval: 0.5...2)
        let x = Tensor.zeros([1, 1, 1, 1])
        #expect([0.4, 0.5, 1, 2, 2.1].map { guided.denoised(x, sigma: $0).elements[0] } == [3, 5, 5, 5, 3])
    }
}
