import Diffusion
import Foundation
import TensorCore
import TestTensors
import Testing

/// Schedules, preconditioning, Heun, Adam and the moving average against float64 references.
@Suite struct ReferenceTests {
    @Test func karrasSchedules() throws {
        for fixture in try Fixture.all(prefix: "karras_schedule-") {
            let p = fixture.parameters
            func number(_ name: String) throws -> Double { try #require((p[name] as? NSNumber)?.doubleValue) }
            let schedule = SigmaSchedule.karras(
                steps: Int(try number("steps")), sigmaMin: Float(try number("sigmaMin")),
                sigmaMax: Float(try number("sigmaMax")), rho: Float(try number("rho")))
            let expected = fixture["output"].values
            try #require(schedule.sigmas.count == expected.count, "\(fixture.name)")
            for (found, wanted) in zip(schedule.sigmas, expected) {
                #expect(abs(Double(found) - wanted) <= 1e-6 * wanted, "\(fixture.name)")
            }
            #expect(schedule.sigmas.first == Float(try number("sigmaMax")))
            #expect(schedule.sigmas.last == 0)
            #expect(zip(schedule.sigmas, schedule.sigmas.dropFirst()).allSatisfy { $0 > $1 }, "\(fixture.name) falls")
        }
    }

    @Test func preconditioning() throws {
        for fixture in try Fixture.all(prefix: "preconditioning-") {
            let sigmaData = try #require((fixture.parameters["sigmaData"] as? NSNumber)?.floatValue)
            let p = Preconditioning(sigmaData: sigmaData)
            for (i, sigma) in fixture["input.sigma"].values.enumerated() {
                let s = Float(sigma)
                // The network's timestep is 100 times the paper's c_noise.
                let pairs: [(Float, Double, String)] = [
                    (p.skip(s), fixture["output.cSkip"].values[i], "c_skip"), (p.out(s), fixture["output.cOut"].values[i], "c_out"),
                    (p.input(s), fixture["output.cIn"].values[i], "c_in"),
                    (p.lossWeight(s), fixture["output.lossWeight"].values[i], "weight"),
                    (p.noise(s), 100 * fixture["output.cNoise"].values[i], "c_noise"),
                ]
                for (found, expected, what) in pairs {
                    #expect(abs(Double(found) - expected) <= 2e-6 * abs(expected) + 1e-5 * (what == "c_noise" ? 1 : 0), "\(fixture.name) \(what) at \(sigma)")
                }
            }
        }
    }

    /// D(x; sigma) of independent normal pixels N(mean, deviation^2).
    struct GaussianDenoiser: Denoiser {
        let mean: Tensor, variance: Tensor

        func denoised(_ x: Tensor, sigma: Float) -> Tensor {
            let gain = Tensor(variance.elements.map { $0 / ($0 + sigma * sigma) }, shape: variance.shape)
            return mean + gain * (x - mean)
        }
    }

    @Test func heunTakesTheReferencesTrajectory() throws {
        let fixtures = try Fixture.all(prefix: "sampling_heun-")
        #expect(fixtures.count == 2)
        for fixture in fixtures {
            let deviation = fixture["input.deviation"].tensor
            let denoiser = GaussianDenoiser(mean: fixture["input.mean"].tensor, variance: deviation * deviation)
            let steps = fixture["sigmas"].values.count - 1
            let start = fixture["input.start"].tensor
            let states = Array(
                HeunSampler(denoiser, schedule: .karras(steps: steps), noise: start.scaled(by: 1 / 80)))
            try #require(states.count == steps)
            let each = start.count
            for (step, state) in states.enumerated() {
                let expected = Array(fixture["trajectory"].values[(step + 1) * each..<(step + 2) * each])
                #expect(relativeDifference(state.elements.map(Double.init), expected) <= 2e-5, "\(fixture.name) step \(step)")
            }
        }
    }

    /// The global error falls with the square of the step: order 2, from sigmaMax to sigmaMin.
    @Test func heunIsOfSecondOrder() throws {
        let fixture = try #require(try Fixture.all(prefix: "sampling_heun-18").first)
        let deviation = fixture["input.deviation"].tensor
        let denoiser = GaussianDenoiser(mean: fixture["input.mean"].tensor, variance: deviation * deviation)
        let noise = fixture["input.start"].tensor.scaled(by: 1 / 80)
        func error(_ steps: Int) -> Double {
            // sigmaMin 0.5, so that float32 rounding stays far below the method's error; the last, Euler step is left out.
            let schedule = SigmaSchedule.karras(steps: steps, sigmaMin: 0.5, sigmaMax: 80)
            let states = Array(HeunSampler(denoiser, schedule: schedule, noise: noise))
            // Exact solution of dx/dsigma = (x - D)/sigma: (x - mean) scales with sqrt(s^2 + sigma^2).
            let exact = zip(zip(noise.elements, denoiser.mean.elements), denoiser.variance.elements).map { pair, variance in
                let start = 80 * Double(pair.0), mean = Double(pair.1), v = Double(variance)
                return mean + (start - mean) * ((v + 0.25) / (v + 6400)).squareRoot()
            }
            return relativeDifference(states[steps - 2].elements.map(Double.init), exact)
        }
        let order = log2(error(8) / error(16))
        #expect(order > 1.7 && order < 2.6, "order \(order)")
    }

    @Test func adam() throws {
        let fixtures = try Fixture.all(prefix: "adam-")
        #expect(fixtures.count == 3)
        for fixture in fixtures {
            let rates = try #require(fixture.parameters["learningRates"] as? [NSNumber])
            var parameter = fixture["input.parameters"].tensor
            var first = Tensor.zeros(parameter.shape), second = first, ema = parameter
            let gradients = fixture["input.gradients"].tensor
            for (step, rate) in rates.enumerated() {
                var settings = AdamSettings(learningRate: rate.floatValue, emaDecay: 0)
                settings.beta1 = try #require((fixture.parameters["beta1"] as? NSNumber)?.floatValue)
                settings.beta2 = try #require((fixture.parameters["beta2"] as? NSNumber)?.floatValue)
                settings.weightDecay = try #require((fixture.parameters["weightDecay"] as? NSNumber)?.floatValue)
                adamStep(
                    settings, step: step + 1, gradient: gradients.rows(step..<step + 1).reshaped(parameter.shape),
                    parameter: &parameter, moment1: &first, moment2: &second, ema: &ema)
                for (tensor, name) in [(parameter, "output"), (first, "output.firstMoment"), (second, "output.secondMoment")] {
                    let row = Array(fixture[name].values[step * 7..<(step + 1) * 7])
                    #expect(relativeDifference(tensor.elements.map(Double.init), row) <= 2e-6, "\(fixture.name) \(name) step \(step)")
                }
                // With a decay of 0 the average is the parameter itself.
                #expect(ema.elements == parameter.elements)
            }
        }
    }

    @Test func guidanceMovesAwayFromTheOpenRequest() {
        struct Constant: Denoiser {
            let value: Float
            func denoised(_ x: Tensor, sigma: Float) -> Tensor { Tensor(repeating: value, shape: x.shape) }
        }
        let x = Tensor.zeros([1, 1, 1, 2])
        func guided(_ scale: Float) -> [Float] {
            GuidedDenoiser(conditional: Constant(value: 3), unconditional: Constant(value: 1), guidanceScale: scale)
                .denoised(x, sigma: 1).elements
        }
        #expect(guided(1) == [3, 3])
        #expect(guided(0) == [1, 1])
        #expect(guided(2) == [5, 5])
    }
}
