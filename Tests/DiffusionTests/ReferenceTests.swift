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
                    (p.skip(s, deviation: sigmaData), fixture["output.cSkip"].values[i], "c_skip"),
                    (p.out(s, deviation: sigmaData), fixture["output.cOut"].values[i], "c_out"),
                    (p.input(s, deviation: sigmaData), fixture["output.cIn"].values[i], "c_in"),
                    (p.lossWeight(s, deviation: sigmaData), fixture["output.lossWeight"].values[i], "weight"),
                    (p.noise(s), 100 * fixture["output.cNoise"].values[i], "c_noise"),
                ]
                for (found, expected, what) in pairs {
                    #expect(
                        abs(Double(found) - expected) <= 2e-6 * abs(expected) + 1e-5 * (what == "c_noise" ? 1 : 0),
                        "\(fixture.name) \(what) at \(sigma)")
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

    @Test(arguments: [SamplerKind.heun, .dpmpp])
    func theStepTakesTheReferencesTrajectory(kind: SamplerKind) throws {
        let fixtures = try Fixture.all(prefix: kind == .heun ? "sampling_heun-" : "sampling_dpm_solver_2m-")
        #expect(fixtures.count == 2)
        for fixture in fixtures {
            let deviation = fixture["input.deviation"].tensor
            let denoiser = GaussianDenoiser(mean: fixture["input.mean"].tensor, variance: deviation * deviation)
            let steps = fixture["sigmas"].values.count - 1
            let start = fixture["input.start"].tensor
            func states(_ rule: some StepRule) -> [Tensor] {
                Array(
                    DiffusionSampler(denoiser, rule, schedule: .karras(steps: steps), start: start.scaled(by: 1 / 80)))
            }
            let found = states(kind.rule())
            try #require(found.count == steps)
            let each = start.count
            for (step, state) in found.enumerated() {
                let expected = Array(fixture["trajectory"].values[(step + 1) * each..<(step + 2) * each])
                #expect(
                    relativeDifference(state.elements.map(Double.init), expected) <= 2e-5,
                    "\(fixture.name) step \(step)")
            }
        }
    }

    @Test func adam() throws {
        let fixtures = try Fixture.all(prefix: "adam-")
        #expect(fixtures.count == 3)
        for fixture in fixtures {
            let rates = try #require(fixture.parameters["learningRates"] as? [NSNumber])
            var parameter = fixture["input.parameters"].tensor
            var first = Tensor.zeros(parameter.shape), second = first, averages = [parameter, parameter]
            let gradients = fixture["input.gradients"].tensor
            for (step, rate) in rates.enumerated() {
                var settings = AdamSettings(learningRate: rate.floatValue, averageDecays: [0, 0.75])
                settings.beta1 = try #require((fixture.parameters["beta1"] as? NSNumber)?.floatValue)
                settings.beta2 = try #require((fixture.parameters["beta2"] as? NSNumber)?.floatValue)
                settings.weightDecay = try #require((fixture.parameters["weightDecay"] as? NSNumber)?.floatValue)
                let before = averages[1].elements
                adamStep(
                    settings, step: step + 1, gradient: gradients.rows(step..<step + 1).reshaped(parameter.shape),
                    parameter: &parameter, moment1: &first, moment2: &second, averages: &averages)
                for (tensor, name) in [
                    (parameter, "output"), (first, "output.firstMoment"), (second, "output.secondMoment"),
                ] {
                    let row = Array(fixture[name].values[step * 7..<(step + 1) * 7])
                    #expect(
                        relativeDifference(tensor.elements.map(Double.init), row) <= 2e-6,
                        "\(fixture.name) \(name) step \(step)")
                }
                // With a decay of 0 the average is the parameter itself.
                #expect(averages[0].elements == parameter.elements)
                #expect(averages[1].elements.count == before.count && before.count == parameter.elements.count)
                for (found, (old, new)) in zip(averages[1].elements, zip(before, parameter.elements)) {
                    #expect(abs(found - (0.75 * old + 0.25 * new)) <= 1e-6)
                }
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
