import Anatomy
import Pictures
import TensorCore

/// Draws a sample again where not exactly one optic disc is found in it.
///
/// The noise of attempt a of a sample has the sample's number plus a times 2^48. So what becomes of a sample depends on
/// its own number alone, and a set records the number that was drawn in the end.
package enum DiscCheck {
    /// How often a sample is drawn again at most. The last picture is kept, whatever it shows.
    package static let attempts = 3
    private static let step: UInt64 = 1 << 48

    static func again(_ sample: PlannedSample, attempt: Int) -> PlannedSample {
        PlannedSample(
            request: sample.request, seed: sample.seed, index: sample.index % step + UInt64(attempt) * step)
    }

    /// Whether a number is that of a sample that was drawn again.
    package static func isAgain(_ index: UInt64) -> Bool { index >= step }

    /// The sample as it was planned, before it was drawn again.
    static func planned(_ sample: PlannedSample) -> PlannedSample { again(sample, attempt: 0) }

    /// The places among these whose pictures do not show exactly one optic disc.
    /// - Parameter pixels: [count, side, side, 3].
    package static func failures(_ pixels: [UInt8], among places: [Int], side: Int) -> [Int] {
        let size = 3 * side * side
        var counts = [Int](repeating: 0, count: places.count)
        counts.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let counts = buffer
            parallelFor(places.count) { i in
                let own = Array(pixels[places[i] * size..<(places[i] + 1) * size])
                let anatomy = EyeAnatomy(Picture(width: side, height: side, pixels: own))
                counts[i] = Int(anatomy[.discCount] ?? 0)
            }
        }
        return zip(places, counts).filter { $0.1 != 1 }.map(\.0)
    }
}

extension Sampler.Batch {
    /// Puts one sample of another batch in the place of one of this batch.
    mutating func take(_ from: Int, of other: Sampler.Batch, at place: Int) {
        let size = pixels.count / count
        pixels.replaceSubrange(place * size..<(place + 1) * size, with: other.pixels[from * size..<(from + 1) * size])
        let area = size / 3
        for number in maps.indices {
            maps[number].values.replaceSubrange(
                place * area..<(place + 1) * area,
                with: other.maps[number].values[from * area..<(from + 1) * area])
        }
        isFinite = isFinite && other.isFinite
    }
}
