import Diffusion
import Foundation
import Networks
import TensorCore
import TestTensors
import Testing

@Suite struct LatentSpaceTests {
    /// What a training takes where nothing is said, at both sides of each border.
    @Test(arguments: [
        (63, LatentSpace.pixels), (64, .pixels), (128, .pixels), (129, .wavelet(levels: 2)), (255, .wavelet(levels: 2)),
        (256, .dct(side: 8, colours: nil)), (512, .dct(side: 8, colours: nil)),
    ])
    func theUsualSpaceFollowsTheSize(_ size: Int, _ space: LatentSpace) {
        #expect(LatentSpace.usual(size: size) == space)
        #expect(LatentSpace.Family.pixels.space(size: size) == .pixels)
        #expect(LatentSpace.Family.wavelet.space(size: size) == .wavelet(levels: size >= 256 ? 3 : 2))
        #expect(LatentSpace.Family.dct.space(size: size) == .dct(side: size >= 256 ? 8 : 4, colours: nil))
    }

    /// Square or not, there and back: within 1e-5 of the largest value.
    @Test(arguments: [1, 2, 3, 4], [[2, 32, 48], [1, 16, 16]])
    func waveletsReturn(_ levels: Int, _ sides: [Int]) {
        let space = LatentSpace.wavelet(levels: levels)
        let pictures = randomTensor(sides + [3], seed: UInt64(levels))
        let latents = space.encoded(pictures)
        #expect(latents.shape == space.shape(count: sides[0], height: sides[1], width: sides[2]))
        #expect(latents.shape == [sides[0], sides[1] >> levels, sides[2] >> levels, 3 << (2 * levels)])
        let back = space.decoded(latents)
        #expect(back.shape == pictures.shape)
        let largest = zip(back.elements, pictures.elements).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
        #expect(largest <= 1e-5 * 4, "\(largest)")
        // Orthonormal but for one factor, so that white noise stays white.
        let ratio = (latents.sumOfSquares / pictures.sumOfSquares).squareRoot()
        #expect(abs(ratio - Double(space.noiseScale)) <= 1e-6 * ratio)
    }

    /// Each level splits every band of the level before into sums and differences along both axes, over 2
    /// (orthonormal).
    @Test(arguments: [1, 2, 3])
    func packetsSplitEveryBandAgain(_ levels: Int) throws {
        let side = 1 << levels
        let pictures = randomTensor([1, side, side, 3], seed: 9)
        func split(_ band: [[Double]]) -> [[[Double]]] {
            let half = band.count / 2
            var parts = [[[Double]]](
                repeating: [[Double]](repeating: [Double](repeating: 0, count: half), count: half), count: 4)
            for y in 0..<half {
                for x in 0..<half {
                    let (a, b, c, d) = (
                        band[2 * y][2 * x], band[2 * y][2 * x + 1], band[2 * y + 1][2 * x], band[2 * y + 1][2 * x + 1]
                    )
                    parts[0][y][x] = (a + b + c + d) / 2
                    parts[1][y][x] = (a - b + c - d) / 2
                    parts[2][y][x] = (a + b - c - d) / 2
                    parts[3][y][x] = (a - b - c + d) / 2
                }
            }
            return parts
        }
        let found = LatentSpace.wavelet(levels: levels).encoded(pictures).elements.map(Double.init)
        for colour in 0..<3 {
            var bands = [
                (0..<side).map { y in (0..<side).map { x in Double(pictures.elements[(y * side + x) * 3 + colour]) } }
            ]
            for _ in 0..<levels { bands = bands.flatMap(split) }
            // The same set of numbers; their order among the finer bands is a matter of convention.
            let expected = bands.map { $0[0][0] / Double(side) }
            let own = (0..<side * side).map { found[$0 * 3 + colour] }
            #expect(abs(own[0] - expected[0]) <= 1e-6)
            #expect(own.count == expected.count)
            for (a, b) in zip(own.sorted(), expected.sorted()) { #expect(abs(a - b) <= 1e-6) }
        }
    }

    @Test func theCoarsestBandIsTheMean() {
        let picture = Tensor((0..<192).map { Float($0 % 7) / 7 }, shape: [1, 8, 8, 3])
        let latents = LatentSpace.wavelet(levels: 3).encoded(picture)
        for colour in 0..<3 {
            let mean = stride(from: colour, to: 192, by: 3).reduce(Float(0)) { $0 + picture.elements[$1] } / 64
            #expect(abs(latents.elements[colour] - mean) <= 1e-6)
        }
        #expect(LatentSpace.pixels.encoded(picture).elements == picture.elements)
    }

    @Test func greyIsTheMeanOfTheColours() {
        let pictures = randomTensor([2, 3, 5, 3], seed: 4)
        let grey = LatentSpace.grey.encoded(pictures)
        #expect(grey.shape == LatentSpace.grey.shape(count: 2, height: 3, width: 5))
        let x = pictures.elements
        for (i, value) in grey.elements.enumerated() {
            #expect(abs(value - (x[3 * i] + x[3 * i + 1] + x[3 * i + 2]) / 3) <= 1e-6)
        }
        let decoded = LatentSpace.grey.decoded(grey)
        #expect(decoded.shape == pictures.shape)
        for (i, value) in decoded.elements.enumerated() { #expect(value == grey.elements[i / 3]) }
    }

    @Test func namesAreRead() throws {
        for space in [LatentSpace.pixels, .grey, .wavelet(levels: 1), .wavelet(levels: 3)] {
            let json = try JSONEncoder().encode([space])
            #expect(String(decoding: json, as: UTF8.self) == "[\"\(space.name)\"]")
            #expect(try JSONDecoder().decode([LatentSpace].self, from: json) == [space])
        }
        for name in ["wavelet", "wavelet-0", "wavelet-9", "latent"] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode([LatentSpace].self, from: Data("[\"\(name)\"]".utf8))
            }
        }
    }
}

@Suite struct ChannelPreconditioningTests {
    private let description = ModelDescription(
        network: {
            var network = UNetConfiguration(blockOutChannels: [8, 8], attentionLevels: [false, false])
            network.normGroups = 4
            (network.inChannels, network.outChannels) = (12, 12)
            return network
        }(),
        preconditioning: Preconditioning(channelDeviations: (1...12).map { 1 / Float($0) }), space: .wavelet(levels: 1),
        height: 8,
        width: 8, cohort: CohortEncoding(attributes: []))

    private func denoised(_ p: Preconditioning, _ x: Tensor, _ sigma: Float) -> Tensor {
        var description = description
        description.preconditioning = p
        let model = DiffusionModel(description)
        // conv_out starts at zero, so F is 0 and D = c_skip x.
        let parameters = ParameterMap(model.specifications, seed: 1).constants()
        return ModelDenoiser(model, parameters, cohorts: [[]]).denoised(x, sigma: sigma)
    }

    /// With F = 0, D is the best linear estimate for independent normal channels: x sd^2 / (sd^2 + sigma^2).
    @Test func channelsHaveCoefficientsOfTheirOwn() {
        let x = randomTensor([1, 4, 4, 12], seed: 3)
        for sigma: Float in [0.01, 0.3, 5] {
            let found = denoised(description.preconditioning, x, sigma)
            for (i, value) in found.elements.enumerated() {
                let deviation = 1 / Double(i % 12 + 1), variance = deviation * deviation
                let expected = Double(x.elements[i]) * variance / (variance + Double(sigma * sigma))
                #expect(abs(Double(value) - expected) <= 2e-6 * max(abs(expected), 1e-3))
            }
            let flow = denoised(Preconditioning(kind: .flow), x, sigma)
            #expect(flow.shape == x.shape)
            #expect(zip(flow.elements, x.elements).allSatisfy { abs($0 - $1 / (1 + sigma)) <= 1e-6 })
        }
    }

    /// lambda c_out^2 = 1 for the coarsest band, and for every channel where the weights follow the bands.
    @Test func lossWeights() {
        for kind in Preconditioning.Kind.allCases {
            for sigma: Float in [0.01, 0.3, 5] {
                func unit(_ bandWeighting: Float, _ deviation: Float) -> Float {
                    let p = Preconditioning(kind: kind, bandWeighting: bandWeighting)
                    let out = p.out(sigma, deviation: deviation)
                    return p.lossWeight(sigma, deviation: deviation) * out * out
                }
                #expect(abs(unit(0, 0.5) - 1) <= 1e-5)
                #expect(abs(unit(1, 0.02) - 1) <= 1e-5)
                let half = unit(0.5, 0.02), coarsest = unit(0, 0.02)
                #expect(abs(half * half - coarsest) <= 1e-5 * coarsest)
            }
        }
    }

    /// The losses are the weighted means by hand, for one weight and for weights by channel.
    @Test(arguments: [Float(0), 0.5]) func lossesAreWeightedMeans(_ bandWeighting: Float) {
        var description = description
        description.preconditioning.bandWeighting = bandWeighting
        let p = description.preconditioning
        let model = DiffusionModel(description), parameters = ParameterMap(model.specifications, seed: 1).constants()
        let clean = randomTensor([2, 4, 4, 12], seed: 4), noise = randomTensor([2, 4, 4, 12], seed: 5)
        let sigma: [Float] = [0.2, 3]
        let found = model.losses(clean: clean, noise: noise, sigma: sigma, cohorts: [[], []], parameters).tensor
        #expect(found.shape == [2, 1, 1, 1])
        for picture in 0..<2 {
            var sum = 0.0
            for i in 0..<192 {
                let y = Double(clean.elements[picture * 192 + i]), n = Double(noise.elements[picture * 192 + i])
                let s = sigma[picture], deviation = p.channelDeviations[i % 12]
                let error = Double(p.skip(s, deviation: deviation)) * (y + Double(s) * n) - y
                sum += error * error * Double(p.lossWeight(s, deviation: deviation))
            }
            #expect(abs(Double(found.elements[picture]) - sum / 192) <= 1e-4 * sum / 192)
        }
    }

    @Test func olderFilesHaveDefaults() throws {
        let p = try JSONDecoder().decode(Preconditioning.self, from: Data(#"{"sigmaData":0.4}"#.utf8))
        #expect(p == Preconditioning(sigmaData: 0.4))
    }

    @Test func descriptionsThatMakeNoSenseAreNamed() {
        func problem(_ change: (inout ModelDescription) -> Void) -> String {
            var changed = description
            change(&changed)
            return changed.problem ?? "none"
        }
        #expect(problem { _ in } == "none")
        #expect(problem { $0.space = .pixels }.hasPrefix("network.inChannels: expected 3"))
        #expect(problem { $0.network.outChannels = 3 }.hasPrefix("network.outChannels: expected 12"))
        #expect(problem { $0.width = 10 }.hasPrefix("width: expected a multiple of 4"))
        #expect(
            problem { $0.preconditioning.channelDeviations.removeLast() }.contains("channelDeviations: expected 12"))
        #expect(
            problem { $0.preconditioning.channelDeviations[3] = .nan }.contains("channelDeviations: expected positive"))
        #expect(problem { $0.preconditioning.bandWeighting = 2 }.contains("bandWeighting"))
    }
}
