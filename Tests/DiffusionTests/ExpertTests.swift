import Diffusion
import Foundation
import Networks
import Randomness
import TensorCore
import TestTensors
import Testing

@Suite struct ExpertTests {
    private static func network(_ channels: Int, out: Int) -> UNetConfiguration {
        var network = UNetConfiguration(blockOutChannels: [16, 16], attentionLevels: [false, false])
        network.layersPerBlock = 1
        network.normGroups = 4
        (network.inChannels, network.outChannels) = (channels, out)
        return network
    }

    private let model: DiffusionModel
    private let parameters: ParameterMap

    init() {
        let axes = DiscreteCosineTests.axes
        let spaces = [LatentSpace.dct(side: 4, colours: axes), .dct(side: 2, colours: axes)]
        let parts = spaces.map { space in
            Preconditioning(
                channelDeviations: (0..<space.channels).map { 1 / Float(1 + $0) }, relativeLoss: true,
                shrinksInput: true,
                gatesSurround: true)
        }
        var description = ModelDescription(
            network: ExpertTests.network(48, out: 64), preconditioning: parts[0], space: spaces[0], height: 16,
            width: 16,
            cohort: CohortEncoding(attributes: ["dr_icdr"]))
        description.augmentations = 2
        description.middle = ExpertNetwork(
            network: ExpertTests.network(48, out: 64), preconditioning: parts[0], space: spaces[0], highestNoise: 1)
        description.fine = ExpertNetwork(
            network: ExpertTests.network(12, out: 28), preconditioning: parts[1], space: spaces[1], highestNoise: 0.2)
        description.guiding = ExpertNetwork(
            network: ExpertTests.network(12, out: 28), preconditioning: parts[1], space: spaces[1], highestNoise: 20)
        #expect(description.problem == nil)
        model = DiffusionModel(description)
        // Layers that start at zero would make all networks alike.
        var drawn = ParameterMap(model.specifications, seed: 1)
        for (number, tensor) in drawn.tensors.enumerated() where tensor.sumOfSquares == 0 {
            drawn.tensors[number] = randomTensor(tensor.shape, seed: UInt64(number), scale: 0.2)
        }
        parameters = drawn
    }

    private var cohorts: [[CohortEncoding.Value]] { [[.code(1)], [.code(3)], [.null], [.code(1)]] }

    @Test func parametersOfAllNetworksHavePaths() {
        let paths = model.specifications.map(\.path)
        #expect(
            ["conv_in.weight", "middle.conv_in.weight", "fine.conv_in.weight", "guiding.conv_in.weight"].allSatisfy(
                paths.contains))
        #expect(paths.contains(DiffusionModel.augmentationPath))
        #expect(paths.count { $0 == DiffusionModel.cohortPath } == 1)
        #expect(Set(paths).count == paths.count)
    }

    /// Each picture goes to the network of its noise level, and comes back in the model's space.
    @Test func eachNoiseLevelHasItsNetwork() throws {
        let bound = parameters.constants(),
            (coarse, middle, fine) = (model.experts[0], model.experts[1], model.experts[2])
        let x = randomTensor([6, 4, 4, 48], seed: 5), sigma: [Float] = [0.01, 0.5, 0.05, 0.0500001, 0.25, 0.2500001]
        let cohorts = cohorts + cohorts.prefix(2)
        // The handovers lie at 1 and 0.2 on pixels, at 0.25 and 0.05 in blocks of 4 x 4.
        #expect(model.description.handovers == [0.25, 0.05])
        #expect(sigma.map(model.expert) == [2, 0, 2, 1, 1, 0])
        let found = model.denoised(Variable(x), sigma: sigma, cohorts: cohorts, bound).tensor
        for row in 0..<6 {
            let own = x.rows(row..<row + 1), level = sigma[row], values = [cohorts[row]]
            let expected: Tensor
            if row == 0 || row == 2 {
                let input = fine.space.encoded(coarse.space.decoded(own))
                let output = fine.denoised(Variable(input), sigma: [2 * level], cohorts: values, bound).tensor
                expected = coarse.space.encoded(fine.space.decoded(output))
            } else {
                let expert = row == 3 || row == 4 ? middle : coarse
                expected = expert.denoised(Variable(own), sigma: [level], cohorts: values, bound).tensor
            }
            let difference = relativeDifference(
                found.rows(row..<row + 1).elements.map(Double.init), expected.elements.map(Double.init))
            #expect(found.shape == x.shape && difference <= 1e-6, "row \(row)")
        }
    }

    /// The guiding network answers when it is asked, in the model's space, and never for the others.
    @Test func theGuidingNetworkAnswersAlone() throws {
        let x = randomTensor([4, 4, 4, 48], seed: 8), bound = parameters.constants()
        let main = ModelDenoiser(model, bound, cohorts: cohorts), guiding = try #require(main.guiding)
        let network = model.networks[3], space = model.description.space
        #expect(model.networks.count == 4 && model.experts.count == 3)
        let output = network.denoised(
            Variable(network.space.encoded(space.decoded(x))), sigma: [0.6, 0.6, 0.6, 0.6], cohorts: cohorts, bound)
        let expected = space.encoded(network.space.decoded(output.tensor))
        #expect(guiding.denoised(x, sigma: 0.3).elements == expected.elements)
        var without = parameters
        for (number, specification) in model.specifications.enumerated() where specification.path.hasPrefix("guiding.")
        {
            without.tensors[number] = .zeros(specification.shape)
        }
        let same = ModelDenoiser(model, without.constants(), cohorts: cohorts)
        for level: Float in [0.01, 0.1, 0.3] {
            #expect(main.denoised(x, sigma: level).elements == same.denoised(x, sigma: level).elements)
        }
        #expect(try #require(same.guiding).denoised(x, sigma: 0.3).elements != expected.elements)
    }

    /// Losses follow the definition: mean squared error over that of c_skip x alone, in the space of the network.
    @Test func lossesAreRelativeToWhatSkippingLeaves() {
        let bound = parameters.constants()
        let clean = randomTensor([2, 4, 4, 48], seed: 6, scale: 0.3), noise = randomTensor([2, 4, 4, 48], seed: 7)
        let sigma: [Float] = [0.02, 0.4], cohorts = Array(cohorts.prefix(2))
        let found = model.losses(clean: clean, noise: noise, sigma: sigma, cohorts: cohorts, bound).tensor.elements
        let noisy = clean + noise * Tensor(sigma, shape: [2, 1, 1, 1])
        let denoised = model.denoised(Variable(noisy), sigma: sigma, cohorts: cohorts, bound).tensor
        for row in 0..<2 {
            let expert = model.experts[row == 0 ? 2 : 0]
            let scale: Float = row == 0 ? 2 : 1, level = sigma[row] * scale
            let error =
                Double((denoised - clean).rows(row..<row + 1).sumOfSquares) * Double(scale * scale) / Double(4 * 4 * 48)
            let left = expert.preconditioning.channelDeviations.map { d -> Double in
                Double(level * level * d * d / (level * level + d * d))
            }
            let expected = error / (left.reduce(0, +) / Double(left.count))
            #expect(
                abs(Double(found[row]) - expected) <= 1e-4 * expected, "row \(row): \(found[row]) against \(expected)")
        }
    }

    private static let head = DenoiserHead(
        skip: Tensor([0.5, 0.25, 1.5, 0.75], shape: [2, 2]), out: Tensor([2, 3, 0.5, 0.25], shape: [2, 2]),
        black: [-1, 7], offset: 6)

    /// The gate: where it is far open the result is black, far closed it is c_skip x + c_out F.
    @Test func theGateMakesBlack() {
        let raw = Tensor(
            [0.1, 0.2, -40, 9, 0.3, 0.4, 60, 9, 1, 2, 6, 9, 1, 2, -40, 9, 1, 2, -40, 9, 1, 2, -40, 9],
            shape: [2, 1, 3, 4])
        let x = Tensor([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6], shape: [2, 1, 3, 2])
        let found = ExpertTests.head.denoised(raw, x)
        let expected: [Float] = [0.7, 1.1, -1, 7, (4.5 - 1) / 2, (7.5 + 7) / 2, 2, 2, 5, 3.5, 8, 5]
        #expect(found.shape == [2, 1, 3, 2])
        for (a, b) in zip(found.elements, expected) { #expect(abs(a - b) <= 1e-5, "\(a) against \(b)") }
    }

    /// Against float64, from the definition; and gradients: of F by differences, of g that of the cross-entropy alone.
    @Test func lossesOfTheGate() {
        let head = ExpertTests.head, weights: [Float] = [3, 2, 0.5, 0.25], from: [Float] = [1, 0.25]
        let raw = Tensor(
            randomTensor([2, 3, 2, 4], seed: 8).elements.enumerated().map { $1 + ($0 % 4 == 2 ? 6 : 0) },
            shape: [2, 3, 2, 4])
        let x = randomTensor([2, 3, 2, 2], seed: 9)
        var elements = randomTensor([2, 3, 2, 2], seed: 10).elements
        // Two places are black.
        for place in [1, 8] { (elements[2 * place], elements[2 * place + 1]) = (-1, 7) }
        let clean = Tensor(elements, shape: [2, 3, 2, 2])
        func expected(_ raw: [Float]) -> (squares: [Double], entropy: [Double]) {
            var squares = [0.0, 0.0], entropy = [0.0, 0.0]
            for place in 0..<12 {
                let picture = place / 6, logit = Double(raw[4 * place + 2]) - 6, probability = 1 / (1 + exp(-logit))
                for c in 0..<2 {
                    let straight =
                        Double(head.skip.elements[2 * picture + c]) * Double(x.elements[2 * place + c])
                        + Double(head.out.elements[2 * picture + c]) * Double(raw[4 * place + c])
                    let counts = [1, 8].contains(place) ? 0.1 : 1
                    squares[picture] +=
                        counts * Double(weights[2 * picture + c]) * pow(straight - Double(elements[2 * place + c]), 2)
                        / 12
                }
                entropy[picture] -= log([1, 8].contains(place) ? probability : 1 - probability) / 6
            }
            return (squares, entropy)
        }
        let tape = Tape(), variable = tape.variable(raw)
        let losses = head.losses(variable, x, clean: clean, weights: Tensor(weights, shape: [2, 2]))
        #expect(losses.shape == [2, 1, 1, 1])
        let own = expected(raw.elements)
        for picture in 0..<2 {
            let sum = own.squares[picture] + own.entropy[picture]
            #expect(abs(Double(losses.tensor.elements[picture]) - sum) <= 1e-5 * sum)
        }
        let found = tape.gradients(of: losses, gradOutput: Tensor(from, shape: [2, 1, 1, 1]), for: [variable])[0]
            .elements
        #expect(found.count == raw.count)
        for i in 0..<raw.count {
            var above = raw.elements, below = raw.elements
            above[i] += 0.01
            below[i] -= 0.01
            let (a, b) = (expected(above), expected(below)), picture = i / 24
            let difference =
                i % 4 == 2 ? a.entropy[picture] - b.entropy[picture] : a.squares[picture] - b.squares[picture]
            let slope = i % 4 == 3 ? 0 : Double(from[picture]) * difference / 0.02
            #expect(abs(Double(found[i]) - slope) <= 1e-3 * max(0.1, abs(slope)), "element \(i)")
        }
    }

    @Test func changesReachTheNetwork() {
        let bound = parameters.constants(), x = randomTensor([1, 4, 4, 48], seed: 13)
        // The first network and the middle one see whole pictures.
        for expert in model.experts.prefix(2) {
            func denoised(_ changes: [Float]?) -> [Float] {
                expert.denoised(
                    Variable(x), sigma: [0.5], cohorts: [[.null]], changes: changes.map { Tensor($0, shape: [1, 2]) },
                    bound
                ).tensor.elements
            }
            // Numbers of 0 are no change, which is what samplers ask for.
            #expect(denoised([0, 0]) == denoised(nil))
            #expect(denoised([1, 0]) != denoised(nil))
        }
    }

    @Test func inputsThatDrownInNoiseShrink() {
        let p = Preconditioning(shrinksInput: true)
        for (sigma, d) in [(Float(0.3), Float(0.004)), (0.3, 0.5), (0.001, 0.004)] {
            let unit = Preconditioning().input(sigma, deviation: d)
            #expect(abs(p.input(sigma, deviation: d) - unit * d / (sigma * sigma + d * d).squareRoot()) <= 1e-5 * unit)
        }
    }

    @Test func descriptionsThatMakeNoSenseAreNamed() {
        func problem(_ change: (inout ModelDescription) -> Void) -> String {
            var changed = model.description
            change(&changed)
            return changed.problem ?? "none"
        }
        #expect(problem { _ in } == "none")
        #expect(problem { $0.network.outChannels = 48 }.hasPrefix("network.outChannels: expected 64"))
        func fineProblem(_ change: (inout ExpertNetwork) -> Void) -> String {
            problem { description in
                guard var fine = description.fine else { return }
                change(&fine)
                description.fine = fine
            }
        }
        #expect(fineProblem { $0.network.outChannels = 12 }.hasPrefix("fine.network.outChannels: expected 28"))
        #expect(fineProblem { $0.network.time.width = 32 }.hasPrefix("fine.network.time.width: expected 64"))
        #expect(fineProblem { $0.highestNoise = -1 }.hasPrefix("fine.highestNoise"))
        #expect(fineProblem { $0.preconditioning.channelDeviations.removeLast() }.hasPrefix("fine.preconditioning"))
        var otherMiddle = model.description
        otherMiddle.middle?.network.inChannels = 12
        #expect((otherMiddle.problem ?? "none").hasPrefix("middle.network.inChannels: expected 48"))
        #expect(fineProblem { $0.highestNoise = 1 }.hasPrefix("fine.highestNoise: expected less than 1.0"))
        #expect(problem { $0.augmentations = -1 }.hasPrefix("augmentations"))
        #expect(problem { $0.preconditioning.kind = .flow }.contains("gatesSurround"))
    }

    @Test func descriptionsAreReadAgain() throws {
        let json = try JSONEncoder().encode(model.description)
        #expect(try JSONDecoder().decode(ModelDescription.self, from: json) == model.description)
    }

    /// A description as version 0.1 wrote it has one network and none of the new settings.
    @Test func descriptionsOfVersion01AreRead() throws {
        let json = #"""
            {"cohort":{"attributes":["dr_icdr"],"openNames":{}},"height":16,"network":{"attentionHeadDim":8,
            "attentionLevels":[false,false],"attentionLevelsUp":[],"blockOutChannels":[8,8],"centersInput":false,
            "downsamplePadding":1,"inChannels":12,"layersPerBlock":2,"middle":"attention","middleNormGroups":0,
            "normEpsilon":1e-05,"normGroups":4,"outChannels":12,"time":{"frequencyShift":0,"kind":"positional",
            "sineFirst":false,"timesteps":0,"width":0}},"preconditioning":{"bandWeighting":0.5,"channelDeviations":[1,
            1,1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1],"kind":"edm","sigmaData":0.5},"space":"wavelet-1",
            "takesEmbedding":false,"width":16}
            """#
        let read = try JSONDecoder().decode(ModelDescription.self, from: Data(json.utf8))
        #expect(read.problem == nil)
        #expect(read.experts.isEmpty && read.augmentations == 0 && read.handovers.isEmpty)
        #expect(
            !read.preconditioning.relativeLoss && !read.preconditioning.shrinksInput
                && !read.preconditioning.gatesSurround)
        #expect(read.space == .wavelet(levels: 1) && read.sampledSigmas == 0.002...80)
        #expect(
            !DiffusionModel(read).specifications.contains { $0.path.hasPrefix("fine.") || $0.path.hasPrefix("middle.") }
        )
    }

    /// Numbers of a hostile file are named, and nothing is computed from them before.
    @Test func hostileExpertNetworksAreNamed() throws {
        var fine = try #require(model.description.fine)
        fine.network.blockOutChannels = [.max, 16]
        fine.network.time.width = 0
        #expect(fine.problem(embeddingWidth: 64)?.hasPrefix("network.blockOutChannels") == true)
        fine = try #require(model.description.fine)
        fine.network.time.kind = .fourier
        #expect(fine.problem(embeddingWidth: 64)?.hasPrefix("network.time.kind") == true)
        fine = try #require(model.description.fine)
        fine.preconditioning.kind = .discrete
        #expect(fine.problem(embeddingWidth: 64)?.hasPrefix("preconditioning.kind") == true)
    }

    /// Models on other axes meet the same noise, which is white on both.
    @Test func noiseIsTheSameOnAllAxes() {
        let spaces = [LatentSpace.dct(side: 4, colours: .identity), .dct(side: 4, colours: DiscreteCosineTests.axes)]
        let pixels = spaces.map { space -> Tensor in
            var random = Philox(seed: 3, stream: .tests, index: 0)
            let noise = space.noise([1, 8, 8, 48]) { random.fillNormal($0) }
            #expect(abs(noise.sumOfSquares / Double(noise.count) - 1) <= 0.06)
            return space.decoded(noise)
        }
        #expect(relativeDifference(pixels[0].elements.map(Double.init), pixels[1].elements.map(Double.init)) <= 1e-5)
    }
}
