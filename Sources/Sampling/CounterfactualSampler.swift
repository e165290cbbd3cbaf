import CheckpointStore
import Diffusion
import Files
import Models
import Pictures
import RetinalMatching
import SampleStore
import TensorCore

/// Draws samples as they would look in another cohort: with the same noise, and with the original's cohort down to one
/// noise level. So the eye stays, and what the change is about comes to it.
public struct CounterfactualSampler {
    private let sampler: Sampler
    private let change: CohortChange

    /// - Parameters:
    ///   - settings: those with which the originals were drawn.
    ///   - requests: every request of an original and of a counterfactual that will be drawn.
    /// - Throws: `Failure(.usage)` for settings and requests that the model does not know.
    public init(
        _ model: LoadedModel, _ settings: SamplerSettings, change: CohortChange, requests: Set<CohortRequest>
    ) throws {
        self.change = change
        let samples = requests.map { PlannedSample(request: $0, seed: 0, index: 0) }
        sampler = try Sampler(model, settings, samples: samples)
    }

    /// Draws counterfactuals together.
    /// - Parameters:
    ///   - samples: the counterfactuals, each with the noise of its original.
    ///   - originals: the cohorts of their originals.
    ///   - pixels: the originals' pixels, [samples.count, height, width, 3].
    public func drawn(
        _ samples: [PlannedSample], originals: [CohortRequest], pixels: [UInt8]
    ) -> Sampler.Batch {
        let description = sampler.model.manifest.model
        let shape = [samples.count, description.height, description.width]
        let kept =
            change.keepsVessels
            ? KeptVessels.shares(pixels, shape: shape) : Tensor(shape: shape) { $0.update(repeating: 0) }
        let denoiser = CounterfactualDenoiser(
            original: sampler.denoiser(originals), changed: sampler.denoiser(samples.map(\.request)),
            space: description.space, change: change, kept: kept)
        return sampler.batch(samples[...], denoiser, start: 0)
    }
}

/// How much of each pixel of a counterfactual stays as the original's cohort draws it: all of a vessel, and a part of
/// what is next to it.
package enum KeptVessels {
    /// - Parameters:
    ///   - pixels: [N, H, W, 3].
    ///   - shape: [N, H, W].
    package static func shares(_ pixels: [UInt8], shape: [Int]) -> Tensor {
        let (height, width) = (shape[1], shape[2]), area = height * width
        return Tensor(shape: shape) { target in
            nonisolated(unsafe) let target = target
            parallelFor(shape[0]) { number in
                let own = Array(pixels[3 * area * number..<3 * area * (number + 1)])
                let vessels = vesselShares(Picture(width: width, height: height, pixels: own))
                let wider = around(vessels, width) { $0.max() ?? 0 }
                let smooth = around(wider, width) { $0.reduce(0, +) / Float($0.count) }
                for (place, share) in smooth.enumerated() { target[area * number + place] = share }
            }
        }
    }

    /// A map in which each value is made of the nine values around it; there are fewer at the edge.
    private static func around(_ map: [Float], _ width: Int, _ value: ([Float]) -> Float) -> [Float] {
        let height = map.count / width
        return map.indices.map { place in
            let (y, x) = place.quotientAndRemainder(dividingBy: width)
            var near: [Float] = []
            for row in max(0, y - 1)...min(height - 1, y + 1) {
                let start = row * width + max(0, x - 1), end = row * width + min(width - 1, x + 1)
                near += map[start...end]
            }
            return value(near)
        }
    }
}

/// Draws counterfactuals of a set again, from what the set records about them.
struct CounterfactualReplay {
    private let file: SampleSetFile
    private let sampler: CounterfactualSampler

    /// - Throws: `Failure(.badData)` where the run does not say how its counterfactuals were drawn; `Failure(.usage)`
    ///   for settings and requests that the model does not know.
    init(
        _ file: SampleSetFile, _ model: LoadedModel, _ settings: SamplerSettings, _ recorded: RecordedChange?,
        rows: [Int]
    ) throws {
        guard let recorded else {
            throw Failure(
                .badData, "\(file.path) /runs/schedule", field: "counterfactual",
                expected: "how the counterfactual of row \(rows[0]) was drawn", found: "nothing")
        }
        self.file = file
        let change = CohortChange(
            below: recorded.below, scale: recorded.scale, keepsVessels: recorded.kept == RecordedChange.vessels)
        let requests = Set(rows.flatMap { [$0, file.original(row: $0) ?? $0] }.map { file.planned(row: $0).request })
        sampler = try CounterfactualSampler(model, settings, change: change, requests: requests)
    }

    /// The counterfactuals of these rows, with their difference to the stored originals as the last map.
    func drawn(_ rows: [Int]) async throws -> Sampler.Batch {
        let originals = rows.map { file.original(row: $0) ?? $0 }, pixels = try await file.images(rows: originals)
        var batch = sampler.drawn(
            rows.map { file.planned(row: $0) }, originals: originals.map { file.planned(row: $0).request },
            pixels: pixels)
        batch.maps.append((SampleSet.difference, difference(batch.pixels, pixels)))
        return batch
    }
}
