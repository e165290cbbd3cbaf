import Diffusion
import Networks
import TensorCore

extension ModelInMemory {
    /// Samples whose cohort is left open, by Heun's steps (Karras et al. 2022, algorithm 1).
    /// - Returns: [count, size, size, 3], RGB, 0 to 255.
    public func samples(count: Int, steps: Int = 18, seed: UInt64 = 0, batchSize: Int = 8) -> [UInt8] {
        samples(count: count, steps: steps, seed: seed, batchSize: batchSize) { denoiser(count: $0) }
    }

    /// A denoiser of `count` pictures whose cohorts are left open.
    package func denoiser(count: Int) -> ModelDenoiser {
        let open = [CohortEncoding.Value](repeating: .null, count: model.description.cohort.attributes.count)
        return ModelDenoiser(
            model, parameters.constants(), cohorts: [[CohortEncoding.Value]](repeating: open, count: count))
    }

    /// Like `samples`, but with another denoiser of the model's pictures.
    /// - Parameter denoiser: makes a denoiser for a given number of pictures.
    package func samples<D: Denoiser>(
        count: Int, steps: Int, seed: UInt64, batchSize: Int, denoiser: (Int) -> D
    ) -> [UInt8] {
        let description = model.description, schedule = sampledLevels.schedule(steps: steps)
        var pixels: [UInt8] = []
        for start in stride(from: 0, to: count, by: batchSize) {
            let numbers = start..<min(start + batchSize, count)
            let planes = description.draw(
                denoiser(numbers.count), HeunStep(), schedule: schedule, noise: SampleNoise(seed: seed, numbers))
            pixels += PixelValues.decoded(planes.withPlanes(3))
        }
        return pixels
    }
}
