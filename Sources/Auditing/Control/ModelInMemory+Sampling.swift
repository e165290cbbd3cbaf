import Diffusion
import Models
import Networks
import Pictures
import Randomness
import TensorCore
import Training

extension ModelInMemory {
    /// The model with cohorts left open.
    private func denoiser(count: Int) -> ModelDenoiser {
        let open = [CohortEncoding.Value](repeating: .null, count: model.description.cohort.attributes.count)
        return ModelDenoiser(
            model, parameters.constants(), cohorts: [[CohortEncoding.Value]](repeating: open, count: count))
    }

    /// Samples of any cohort, by Heun's steps (Karras et al. 2022, algorithm 1).
    /// - Returns: [count, size, size, 3], RGB.
    package func samples(count: Int, steps: Int = 18, seed: UInt64 = 0, batchSize: Int = 8) -> [UInt8] {
        samples(count: count, steps: steps, seed: seed, batchSize: batchSize) { denoiser(count: $0) }
    }

    /// Near copies of photographs: `CopyingDenoiser` decides which and where things lie, the model renders what is
    /// finer.
    ///
    /// - Parameters:
    ///   - photographs: what is copied.
    ///   - handover: the noise level below which the model renders; 0 gives exact copies.
    /// - Returns: [count, size, size, 3], RGB.
    package func copies(
        of photographs: TrainingSet, handover: Float, count: Int, steps: Int = 18, seed: UInt64 = 0, batchSize: Int = 8
    ) -> [UInt8] {
        let known = model.description.space.encoded(
            photographs.pictures(
                Array(0..<photographs.count), mirrored: [Bool](repeating: false, count: photographs.count)))
        return samples(count: count, steps: steps, seed: seed, batchSize: batchSize) {
            CopyingDenoiser(known, model: denoiser(count: $0), handover: handover)
        }
    }

    private func samples<D: Denoiser>(count: Int, steps: Int, seed: UInt64, batchSize: Int, denoiser: (Int) -> D)
        -> [UInt8]
    {
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
