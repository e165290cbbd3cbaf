import Diffusion
import Models
import Training

extension ModelInMemory {
    /// Draws near copies of photographs. `CopyingDenoiser` decides which photograph is copied and where things lie, and
    /// the model renders the details.
    ///
    /// - Parameters:
    ///   - photographs: the photographs that are copied.
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
}
