import Randomness
import TensorCore

/// The random numbers of samples. Each sample has a seed and an index under that seed.
package struct SampleNoise: Sendable {
    private var start, later: [Philox]

    package init(_ samples: [(seed: UInt64, index: UInt64)]) {
        start = samples.map { Philox(seed: $0.seed, stream: .samplingNoise, index: $0.index) }
        later = samples.map { Philox(seed: $0.seed, stream: .ancestralNoise, index: $0.index) }
    }

    /// The samples with these numbers under one seed.
    package init(seed: UInt64, _ numbers: Range<Int>) { self.init(numbers.map { (seed, UInt64($0)) }) }

    fileprivate var count: Int { start.count }

    fileprivate mutating func first(_ shape: [Int]) -> Tensor { SampleNoise.normal(&start, shape) }

    fileprivate mutating func next(_ shape: [Int]) -> Tensor { SampleNoise.normal(&later, shape) }

    /// Standard normal latents, one for each stream.
    private static func normal(_ streams: inout [Philox], _ shape: [Int]) -> Tensor {
        Tensor(shape: shape) { target in
            let size = target.count / streams.count
            for row in streams.indices {
                streams[row].fillNormal(UnsafeMutableBufferPointer(rebasing: target[row * size..<(row + 1) * size]))
            }
        }
    }
}

extension ModelDescription {
    /// Draws samples, beginning with noise and going down the schedule.
    ///
    /// - Parameters:
    ///   - denoiser: for as many pictures as `noise` has samples.
    /// - Returns: pictures in [-1, 1] with the maps of the model's structures, [N, height, width, 3 + maps].
    package func draw(
        _ denoiser: some Denoiser, _ rule: any StepRule, schedule: SigmaSchedule, noise: SampleNoise
    ) -> Tensor {
        var noise = noise
        let shape = latentShape(noise.count)
        let start = noise.first(shape)
        return space.decoded(
            DiffusionSampler(denoiser, rule, schedule: schedule, start: start) { noise.next(shape) }.last())
    }
}
