import Diffusion
import Foundation
import Models
import Networks
import Pictures
import Randomness
import TensorCore
import Training
import Verdicts

/// One evaluation of a photograph: a noise level, a noise, and whether the photograph is mirrored. Every photograph and
/// every model gets the same noise. An easy or hard noise is then so for all of them, which lowers the variance of the
/// differences.
package struct MembershipQuery: Hashable, Sendable {
    package let sigma: Float
    /// The index of the noise in its random stream, `.membershipNoise`.
    package let noise: UInt64
    package let isMirrored: Bool
    /// The number of the query's noise level; nil for the single query.
    package let level: Int?
}

extension MembershipConfiguration {
    /// The queries, of which the single query is the first. That query has noise 0 at the middle of the training's
    /// levels, is not mirrored, and is fixed before anything is measured. With pictures in [-1, 1] and the usual
    /// levels, its sigma is 0.30. Carlini et al. 2023 ask at about the same level ("Extracting training data from
    /// diffusion models", section 5.1: timestep 100 of 1,000).
    ///
    /// Each further network of a model with several networks is asked at as many levels as the first. They reach from
    /// where that network takes over down to where the next network takes over, or to a thirtieth. The single query of
    /// such a model lies at 0.30 on pixels.
    ///
    /// - Parameters:
    ///   - levels: the noise levels of the training.
    ///   - flips: whether the model was trained with mirror images.
    ///   - known: the noise levels at which the model may be asked.
    ///   - handovers: the highest noise level of each network after the first, in falling order.
    ///   - noiseScale: the model's noise levels divided by those on pixels.
    package func queries(
        of levels: NoiseLevels, flips: Bool, known: ClosedRange<Float>, handovers: [Float] = [], noiseScale: Float = 1
    ) -> [MembershipQuery] {
        func sigma(_ deviations: Double) -> Float {
            let level = Float(exp(levels.mean + deviations * levels.deviation))
            return min(max(level, known.lowerBound, handovers.first?.nextUp ?? 0), known.upperBound)
        }
        /// A noise level of a network after the first. Places from -1 (lowest) to 1 (highest) are spaced in equal
        /// ratios.
        func sigma(_ place: Double, ofExpert expert: Int) -> Float {
            let highest = handovers[expert]
            let lowest = max(
                known.lowerBound, expert + 1 < handovers.count ? handovers[expert + 1].nextUp : highest / 30)
            return place == 1 ? highest : max(lowest, highest * Float(pow(Double(highest / lowest), (place - 1) / 2)))
        }
        let places = (0..<self.levels).map { self.levels == 1 ? 0 : 2 * Double($0) / Double(self.levels - 1) - 1 }
        let sigmas =
            places.map { sigma($0 * reach) }
            + handovers.indices.flatMap { expert in places.map { sigma($0, ofExpert: expert) } }
        var queries = [
            MembershipQuery(
                sigma: handovers.isEmpty ? sigma(0) : 0.3 * noiseScale, noise: 0, isMirrored: false, level: nil)
        ]
        for (level, sigma) in sigmas.enumerated() {
            for draw in 0..<draws {
                let noise = UInt64(1 + level * draws + draw)
                for isMirrored in mirrors && flips ? [false, true] : [false] {
                    queries.append(MembershipQuery(sigma: sigma, noise: noise, isMirrored: isMirrored, level: level))
                }
            }
        }
        return queries
    }
}

extension ModelInMemory {
    /// The natural logarithm of the weighted denoising loss of each photograph, [photographs][queries].
    ///
    /// The result depends on weights, photographs and seed alone: batches are the same on any number of threads.
    /// - Throws: what `report` throws.
    package func logLosses(
        of set: TrainingSet, _ queries: [MembershipQuery], _ configuration: MembershipConfiguration,
        report: (Int) throws -> Void = { _ in }
    ) rethrows -> [[Double]] {
        let bound = parameters.constants(), shape = model.description.latentShape(1), space = model.description.space
        var result = [[Double]](repeating: [Double](repeating: 0, count: queries.count), count: set.count)
        var done = 0, noises: [UInt64: Tensor] = [:]
        for query in queries where noises[query.noise] == nil {
            var random = Philox(seed: configuration.seed, stream: .membershipNoise, index: query.noise)
            noises[query.noise] = space.noise(shape) { random.fillNormal($0) }
        }
        for start in stride(from: 0, to: set.count, by: configuration.batchSize) {
            let indices = Array(start..<min(start + configuration.batchSize, set.count))
            var clean: [Bool: Tensor] = [:]
            for (column, query) in queries.enumerated() {
                let pictures =
                    clean[query.isMirrored]
                    ?? space.encoded(
                        set.pictures(indices, mirrored: [Bool](repeating: query.isMirrored, count: indices.count)))
                clean[query.isMirrored] = pictures
                guard let noise = noises[query.noise] else { fatalError("logLosses: no noise \(query.noise)") }
                let cohorts = indices.map {
                    query.isMirrored ? model.description.cohort.mirrored(set.values[$0]) : set.values[$0]
                }
                let losses = model.losses(
                    clean: pictures, noise: stacked([Tensor](repeating: noise, count: indices.count)),
                    sigma: [Float](repeating: query.sigma, count: indices.count), cohorts: cohorts, bound)
                // No network reaches a loss of 0; the bound keeps the logarithm finite.
                for (index, loss) in zip(indices, losses.tensor.elements) {
                    result[index][column] = log(max(Double(loss), 1e-30))
                }
                done += indices.count
                try report(done)
            }
        }
        return result
    }
}
