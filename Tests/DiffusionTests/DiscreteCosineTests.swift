import Diffusion
import Foundation
import Randomness
import TensorCore
import TestTensors
import Testing

@Suite struct DiscreteCosineTests {
    /// Orthonormal axes that are no permutation of red, green and blue.
    static let axes = ColourAxes(covariance: [2, 1, 0.5, 1, 3, 0.25, 0.5, 0.25, 1])

    @Test(arguments: [2, 4, 8, 16], [[2, 32, 48], [1, 16, 16]])
    func cosinesReturn(_ side: Int, _ sides: [Int]) {
        let space = LatentSpace.dct(side: side, colours: DiscreteCosineTests.axes)
        let pictures = randomTensor(sides + [3], seed: UInt64(side))
        let latents = space.encoded(pictures)
        #expect(latents.shape == space.shape(count: sides[0], height: sides[1], width: sides[2]))
        #expect(latents.shape == [sides[0], sides[1] / side, sides[2] / side, 3 * side * side])
        let back = space.decoded(latents)
        #expect(back.shape == pictures.shape)
        #expect(relativeDifference(back.elements.map(Double.init), pictures.elements.map(Double.init)) <= 1e-6)
        // Orthonormal but for one factor, so that white noise stays white.
        let ratio = (latents.sumOfSquares / pictures.sumOfSquares).squareRoot()
        #expect(abs(ratio - Double(space.noiseScale)) <= 1e-5 * ratio)
    }

    /// Against the definition, in float64: sums over all pixels of a block.
    @Test func cosinesAreTheDefinition() {
        let side = 4, pictures = randomTensor([1, 8, 8, 3], seed: 3), values = pictures.elements
        let axes = DiscreteCosineTests.axes.rows.map(Double.init)
        let found = LatentSpace.dct(side: side, colours: DiscreteCosineTests.axes).encoded(pictures)
        func cosine(_ u: Int, _ x: Int) -> Double {
            (u == 0 ? 0.5 : (0.5).squareRoot()) * cos(.pi * Double((2 * x + 1) * u) / Double(2 * side))
        }
        var expected: [Double] = []
        for blockRow in 0..<2 {
            for blockColumn in 0..<2 {
                for band in 0..<side * side {
                    let (v, u) = (band / side, band % side)
                    for axis in 0..<3 {
                        var sum = 0.0
                        for y in 0..<side {
                            for x in 0..<side {
                                let pixel = ((blockRow * side + y) * 8 + blockColumn * side + x) * 3
                                let colour = (0..<3).reduce(0.0) { sum, c in
                                    sum + axes[3 * axis + c] * Double(values[pixel + c])
                                }
                                sum += cosine(v, y) * cosine(u, x) * colour
                            }
                        }
                        expected.append(sum / Double(side))
                    }
                }
            }
        }
        #expect(found.count == expected.count)
        #expect(relativeDifference(found.elements.map(Double.init), expected) <= 1e-6)
    }

    @Test func colourAxesArePrincipalComponents() {
        // Colours along (1, 2, 2) / 3 vary most, then along (2, 1, -2) / 3; axes point towards brighter colours.
        let axes: [[Double]] = [[1, 2, 2], [2, 1, -2], [2, -2, 1]].map { $0.map { $0 / 3 } }
        let strengths = [9.0, 4, 1]
        let covariance = (0..<9).map { i -> Double in
            (0..<3).reduce(0.0) { sum, k in sum + strengths[k] * axes[k][i / 3] * axes[k][i % 3] }
        }
        let found = ColourAxes(covariance: covariance)
        #expect(found.problem == nil)
        #expect(found.rows.count == 9)
        for (a, b) in zip(found.rows, axes.flatMap { $0 }) { #expect(abs(Double(a) - b) <= 1e-6) }
    }

    @Test func spacesWithAxesAreReadAndWritten() throws {
        let bare = LatentSpace.dct(side: 8, colours: nil), whole = bare.with(DiscreteCosineTests.axes)
        #expect(String(decoding: try JSONEncoder().encode([bare]), as: UTF8.self) == "[\"dct-8\"]")
        for space in [bare, whole] {
            let json = try JSONEncoder().encode([space])
            #expect(try JSONDecoder().decode([LatentSpace].self, from: json) == [space])
        }
        #expect(bare.lacksColours && !whole.lacksColours && !LatentSpace.pixels.lacksColours)
        for bad in [
            #"{"name":"dct-8","colours":[1,0,0,0,1,0,0,1,0]}"#, #"{"name":"dct-8","colours":[1,0,0]}"#, #""dct-3""#,
        ] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode([LatentSpace].self, from: Data("[\(bad)]".utf8))
            }
        }
    }

    /// A wave of a frequency lies in the octave that is said of its channel, in every space.
    @Test(arguments: [LatentSpace.dct(side: 8, colours: nil), .wavelet(levels: 3)])
    func octavesHoldTheirFrequencies(_ space: LatentSpace) {
        // Square waves along x that change sign every `half` pixels: the packet has them in one channel.
        for (half, octave) in [(8, 0), (4, 1), (2, 2), (1, 3)] {
            let values = (0..<192).map { i -> Float in
                let column = i / 3 % 8
                return column / half % 2 == 0 ? 1 : -1
            }
            let picture = Tensor(values, shape: [1, 8, 8, 3])
            let latents = space.encoded(picture).elements
            let strongest = latents.indices.max { abs(latents[$0]) < abs(latents[$1]) } ?? 0
            #expect(space.octave(channel: strongest) == octave, "every \(half) pixels")
        }
        let counts = Dictionary(grouping: 0..<space.channels) { space.octave(channel: $0) }.mapValues(\.count)
        #expect(counts == [0: 3, 1: 9, 2: 36, 3: 144])
    }

    @Test func blackIsWhatABlackPictureIs() {
        let space = LatentSpace.dct(side: 4, colours: DiscreteCosineTests.axes)
        let black = space.decoded(Tensor(space.black, shape: [1, 1, 1, 48])).elements
        #expect(black.count == 48 && black.allSatisfy { abs($0 + 1) <= 1e-6 })
    }
}

@Suite struct NoiseLevelTests {
    /// The quantile function against draws: as many below it as it says.
    @Test(arguments: [0.0, 0.4, 1.0])
    func quantilesHoldTheirShares(_ share: Double) {
        let levels = NoiseLevels(mean: -1.5, deviation: 1.2, uniformShare: share, lowest: 0.02, highest: 10)
        let draws = (0..<20_000).map { number in
            var random = Philox(seed: 7, stream: .tests, index: UInt64(number))
            return levels.sigma(&random)
        }
        for quantile in [0.1, 0.5, 0.9] {
            let level = levels.sigma(quantile: quantile)
            let below = Double(draws.count { $0 < level }) / Double(draws.count)
            // Three deviations of a binomial share.
            #expect(abs(below - quantile) <= 0.011, "\(quantile): \(below)")
        }
        if share == 1 { #expect(draws.allSatisfy { $0 >= 0.02 && $0 <= 10 }) }
    }

    @Test func levelsOfVersion01AreReadAndDrawnAsBefore() throws {
        let levels = try JSONDecoder().decode(NoiseLevels.self, from: Data(#"{"mean":-1.8,"deviation":1.7}"#.utf8))
        #expect(levels == NoiseLevels(mean: -1.8, deviation: 1.7))
        var random = Philox(seed: 1, stream: .noiseLevel, index: 5), same = random
        #expect(levels.sigma(&random) == Float(exp(-1.8 + 1.7 * same.nextNormal())))
        #expect(NoiseLevels(deviation: 0).problem != nil)
        #expect(NoiseLevels(uniformShare: 1.5).problem?.contains("uniformShare") == true)
        #expect(NoiseLevels(lowest: 2, highest: 1).problem?.contains("lowest") == true)
    }
}
