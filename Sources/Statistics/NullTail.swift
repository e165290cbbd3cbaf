import Foundation

/// The threshold of a copy test, from the upper tail of the scores that innocent pictures reach.
///
/// A score here is the best that a photograph reaches over the whole gallery. As the largest of many values, it is
/// taken to follow Gumbel's distribution (Fisher and Tippett 1928). A holdout has some dozens of patients, and the
/// false-alarm rate is a few in ten thousand, so that the quantile lies beyond all scores and must be extrapolated.
/// Location and scale come from quantiles, which do not move if there is a copy among the supposedly innocent
/// photographs.
package struct NullTail: Codable, Hashable, Sendable {
    /// The number of scores to which the tail was fitted.
    package let count: Int
    package let median: Double
    /// Gumbel's scale.
    package let scale: Double
    /// The largest score among those that were not set aside.
    package let largest: Double
    /// The number of scores that lie too far out to be of the same distribution. Their photographs show patients who
    /// are in the gallery, too. The privacy officer is told which they are, since a set that shares patients with the
    /// training set is not a holdout.
    package let setAside: Int

    /// A score more than this many scales above the median is set aside. That is about one score in a hundred million.
    private static let outlier = 18.0

    /// - Parameter scores: higher is closer; at least two.
    package init(_ scores: [Double]) {
        let sorted = scores.sorted()
        func quantiles(_ some: [Double]) -> (middle: Double, scale: Double) {
            let middle = NullTail.quantile(some, 0.5)
            // The scale is taken from the median upwards, because the upper half shapes the tail.
            return (
                middle,
                max(1e-9, NullTail.quantile(some, 0.9) - middle) / (NullTail.reduced(0.9) - NullTail.reduced(0.5))
            )
        }
        let rough = quantiles(sorted)
        let kept = sorted.filter { $0 <= rough.middle + NullTail.outlier * rough.scale }
        // The quantiles again, without the scores that are set aside, which had moved them up.
        let fitted = quantiles(kept), middle = fitted.middle
        var scale = fitted.scale
        // The mean excess above the median is less noisy than one quantile when few scores are set aside.
        let excess = kept.filter { $0 > middle }.map { $0 - middle }
        if !excess.isEmpty {
            let mean = excess.reduce(0, +) / Double(excess.count)
            scale = max(scale, mean / NullTail.meanExcess)
        }
        // With few scores, the scale is uncertain by 1.1 / sqrt(n) of itself, so one and a half deviations are added.
        // With very few scores, the false alarms of the worst draws weigh even more. The last term keeps their mean
        // below the promised rate (simulated for 8 to 400 scores).
        let n = Double(max(1, kept.count))
        scale *= 1 + 1.65 / n.squareRoot() + 60 / (n * n)
        count = kept.count
        median = middle
        self.scale = scale
        largest = kept.last ?? middle
        setAside = sorted.count - kept.count
    }

    /// The score that an innocent picture exceeds with this probability. It is never below a score that was seen.
    package func threshold(falseAlarmRate: Double) -> Double {
        max(largest, median + scale * (NullTail.reduced(1 - falseAlarmRate) - NullTail.reduced(0.5)))
    }

    /// The probability that an innocent picture scores this much or more.
    package func pValue(_ score: Double) -> Double {
        -expm1(-exp(-((score - median) / scale + NullTail.reduced(0.5))))
    }

    /// Gumbel's quantile at location 0 and scale 1.
    private static func reduced(_ probability: Double) -> Double { -log(-log(probability)) }

    /// The mean distance from the median of the values above it, in scales, by quadrature of the quantile function.
    private static let meanExcess: Double = {
        let steps = 20_000
        return (0..<steps).reduce(0.0) { $0 + reduced(0.5 + 0.5 * (Double($1) + 0.5) / Double(steps)) } / Double(steps)
            - reduced(0.5)
    }()

    private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        guard let last = sorted.last else { return .nan }
        let place = share * Double(sorted.count - 1), low = Int(place)
        return low + 1 < sorted.count ? sorted[low] + (place - Double(low)) * (sorted[low + 1] - sorted[low]) : last
    }
}
