import Diffusion
import Foundation
import Networks
import TensorCore
import TestTensors
import Testing

/// Maps of structures as further planes of a latent, with a noise level of their own.
@Suite struct StructureMapTests {
    private static let bare = LatentSpace.dct(side: 4, colours: DiscreteCosineTests.axes)
    private static let space = bare.with(maps: [.vessels])

    /// [N, H, W, 4]: random pictures, and random maps in [0, 1].
    private static func planes(_ count: Int, side: Int, seed: UInt64) -> Tensor {
        let pictures = randomTensor([count, side, side, 3], seed: seed).elements
        let maps = randomTensor([count, side, side, 1], seed: seed + 1).elements.map { abs($0) / 2 }
        return Tensor(
            maps.indices.flatMap { [pictures[3 * $0], pictures[3 * $0 + 1], pictures[3 * $0 + 2], maps[$0]] },
            shape: [count, side, side, 4])
    }

    @Test func mapsAreTransformedBesideThePicture() {
        let planes = StructureMapTests.planes(2, side: 8, seed: 1), space = StructureMapTests.space
        let latents = space.encoded(planes), alone = StructureMapTests.bare.encoded(planes.withPlanes(3)).elements
        #expect(space.channels == 64 && space.pictureChannels == 48 && space.mapChannels == 16)
        #expect(latents.shape == [2, 2, 2, 64])
        let elements = latents.elements
        for place in 0..<8 {
            #expect(Array(elements[64 * place..<64 * place + 48]) == Array(alone[48 * place..<48 * (place + 1)]))
        }
        // A grey picture on axes of its own turns into the map's channels: the same transform of one plane.
        let identity = LatentSpace.dct(side: 4, colours: .identity)
        let values = planes.elements
        let grey = identity.encoded(
            Tensor((0..<128).flatMap { [Float](repeating: values[4 * $0 + 3], count: 3) }, shape: [2, 8, 8, 3])
        ).elements
        for place in 0..<8 {
            for band in 0..<16 { #expect(abs(elements[64 * place + 48 + band] - grey[48 * place + 3 * band]) <= 1e-6) }
        }
        let back = space.decoded(latents)
        #expect(relativeDifference(back.elements.map(Double.init), values.map(Double.init)) <= 1e-6)
        #expect(abs((latents.sumOfSquares / planes.sumOfSquares).squareRoot() - 0.25) <= 1e-5)
    }

    @Test func channelsOfMapsHaveTheirPlaneAndOctave() {
        let space = StructureMapTests.space
        #expect((0..<48).allSatisfy { space.plane(channel: $0) == $0 % 3 })
        #expect((48..<64).allSatisfy { space.plane(channel: $0) == 3 })
        #expect((0..<16).allSatisfy { space.octave(channel: 48 + $0) == space.octave(channel: 3 * $0) })
    }

    /// Pictures without maps have empty ones, and black has none.
    @Test func emptyMapsAreZero() {
        let space = StructureMapTests.space, pictures = randomTensor([1, 8, 8, 3], seed: 4)
        let latents = space.encoded(pictures).elements
        #expect((0..<4).allSatisfy { place in latents[64 * place + 48..<64 * (place + 1)].allSatisfy { $0 == 0 } })
        #expect(space.black.count == 64 && space.black[48...].allSatisfy { $0 == 0 })
        #expect(Array(space.black[..<48]) == StructureMapTests.bare.black)
    }

    @Test func spacesWithMapsAreReadAgain() throws {
        for space in [
            StructureMapTests.space, LatentSpace.dct(side: 8, colours: nil, maps: [.vessels]), StructureMapTests.bare,
        ] {
            #expect(try JSONDecoder().decode(LatentSpace.self, from: JSONEncoder().encode(space)) == space)
        }
        #expect(
            String(decoding: try JSONEncoder().encode(LatentSpace.dct(side: 8, colours: nil)), as: UTF8.self)
                == "\"dct-8\"")
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(LatentSpace.self, from: Data(#"{"name":"dct-8","maps":["nerves"]}"#.utf8))
        }
    }

    private static func description(fineMaps: [StructureMap] = [.vessels], gate: Bool = true) -> ModelDescription {
        func network(_ space: LatentSpace) -> UNetConfiguration {
            var network = UNetConfiguration(blockOutChannels: [16, 16], attentionLevels: [false, false])
            (network.layersPerBlock, network.normGroups) = (1, 4)
            (network.inChannels, network.outChannels) = (space.channels, space.channels + (gate ? 16 : 0))
            return network
        }
        func preconditioning(_ space: LatentSpace) -> Preconditioning {
            Preconditioning(
                channelDeviations: (0..<space.channels).map { 1 / Float(1 + $0) }, relativeLoss: true,
                shrinksInput: true,
                gatesSurround: gate)
        }
        let fine = LatentSpace.dct(side: 2, colours: DiscreteCosineTests.axes, maps: fineMaps)
        var result = ModelDescription(
            network: network(space), preconditioning: preconditioning(space), space: space, height: 16, width: 16,
            cohort: CohortEncoding(attributes: ["dr_icdr"]))
        result.fine = ExpertNetwork(
            network: network(fine), preconditioning: preconditioning(fine), space: fine, highestNoise: 0.2)
        return result
    }

    private static func drawn(_ model: DiffusionModel) -> ParameterMap {
        var drawn = ParameterMap(model.specifications, seed: 1)
        for (number, tensor) in drawn.tensors.enumerated() where tensor.sumOfSquares == 0 {
            drawn.tensors[number] = randomTensor(tensor.shape, seed: UInt64(number), scale: 0.2)
        }
        return drawn
    }

    @Test func allNetworksDrawTheSameMaps() {
        #expect(StructureMapTests.description().problem == nil)
        let other = StructureMapTests.description(fineMaps: []).problem ?? "none"
        #expect(other == #"fine.space.maps: expected those of space, ["vessels"], found []"#)
        let model = DiffusionModel(StructureMapTests.description())
        #expect(model.specifications.map(\.path).contains(DiffusionModel.mapPath))
    }

    /// The maps' noise level decides how their channels are scaled and mixed, and the network is told of it; where it
    /// is not said, it is the pictures'.
    @Test func mapsHaveANoiseLevelOfTheirOwn() {
        let model = DiffusionModel(StructureMapTests.description()), bound = StructureMapTests.drawn(model).constants()
        let expert = model.experts[0], x = randomTensor([1, 4, 4, 64], seed: 5)
        func denoised(_ maps: [Float]?) -> [Float] {
            expert.denoised(Variable(x), sigma: [0.4], maps: maps, cohorts: [[.null]], bound).tensor.elements
        }
        #expect(denoised(nil) == denoised([0.4]))
        #expect(denoised([0.1]) != denoised(nil))
        // A map that is known comes back as it was, whatever the network says: c_skip is 1 and c_out 0. The gate mixes
        // in black, whose map is 0.
        let known = denoised([1e-6]), input = x.elements
        for place in 0..<16 {
            let shares = (48..<64).map { known[64 * place + $0] / input[64 * place + $0] }
            #expect(shares.allSatisfy { abs($0 - shares[0]) <= 1e-3 } && shares[0] > 0 && shares[0] <= 1.0001)
        }
    }

    /// Of a network that adds nothing: pictures and maps are each divided by what c_skip alone is expected to leave.
    @Test(arguments: [true, false])
    func picturesAndMapsAreWeighedApart(gate: Bool) throws {
        let model = DiffusionModel(StructureMapTests.description(gate: gate)), expert = model.experts[0]
        var parameters = ParameterMap(model.specifications, seed: 1)
        for number in parameters.tensors.indices {
            parameters.tensors[number] = .zeros(parameters.tensors[number].shape)
        }
        let clean = randomTensor([1, 4, 4, 64], seed: 6, scale: 0.3), noise = randomTensor([1, 4, 4, 64], seed: 7)
        let (level, mapLevel): (Float, Float) = (0.2, 0.05)
        let found = expert.losses(
            clean: clean, noise: noise, sigma: [level], maps: [mapLevel], cohorts: [[.null]], parameters.constants()
        ).tensor.elements[0]
        var parts: [Double] = []
        for (channels, sigma) in [(0..<48, level), (48..<64, mapLevel)] {
            var error = 0.0, left = 0.0
            for c in channels {
                let d = expert.preconditioning.channelDeviations[c], skip = d * d / (d * d + sigma * sigma)
                left += Double(sigma * sigma * d * d / (d * d + sigma * sigma)) * 16
                for place in 0..<16 {
                    let (y, n) = (clean.elements[64 * place + c], noise.elements[64 * place + c])
                    error += pow(Double(skip * (y + sigma * n) - y), 2)
                }
            }
            parts.append(error / left)
        }
        // No place is black: the cross-entropy is that of a probability of 1 / (1 + e^4).
        let entropy = gate ? log(1 + exp(-4.0)) : 0
        let expected = parts[0] + 0.5 * parts[1] + entropy
        #expect(abs(Double(found) - expected) <= 1e-4 * expected, "\(found) against \(expected)")
    }

    /// As a sampler denoises: the same weights, and what is black counts as much as the rest.
    @Test func errorsWeighMapsAsLossesDo() {
        let model = DiffusionModel(StructureMapTests.description()), bound = StructureMapTests.drawn(model).constants()
        let clean = randomTensor([1, 4, 4, 64], seed: 8, scale: 0.3), noise = randomTensor([1, 4, 4, 64], seed: 9)
        let level: Float = 0.2, noisy = clean + noise.scaled(by: level)
        let found = model.losses(clean: clean, noise: noise, sigma: [level], cohorts: [[.null]], bound).tensor.elements[
            0]
        let errors = (model.denoised(Variable(noisy), sigma: [level], cohorts: [[.null]], bound).tensor - clean)
            .elements
        func share(_ channels: Range<Int>) -> Double {
            var error = 0.0, left = 0.0
            for c in channels {
                let d = Double(model.description.preconditioning.channelDeviations[c]), s = Double(level)
                left += 16 * s * s * d * d / (d * d + s * s)
                for place in 0..<16 { error += pow(Double(errors[64 * place + c]), 2) }
            }
            return error / left
        }
        let expected = share(0..<48) + 0.5 * share(48..<64)
        #expect(abs(Double(found) - expected) <= 1e-4 * expected, "\(found) against \(expected)")
    }
}
