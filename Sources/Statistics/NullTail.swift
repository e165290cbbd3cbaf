import Foundation

/// Where the scores of the innocent end: the threshold of a copy test.
///
/// A score here is the best that a photograph reaches over the whole gallery, so it is the largest of many, and its
/// distribution is taken as Gumbel's (Fisher and Tippett 1928). A holdout has some dozens of patients and the
/// false-alarm rate is some in ten thousand: the quantile lies beyond all of them and must be extrapolated. Location
/// and scale come from quantiles, which a copy among the supposedly innocent does not move.
package struct NullTail: Codable, Hashable, Sendable {
    /// Scores that the tail was fitted to.
    package let count: Int
    package let median: Double
    /// Gumbel's scale.
    package let scale: Double
    /// The largest score, without those set aside.
    package let largest: Double
    /// Scores too far out to be of the same distribution: photographs of patients who are in the gallery, too. They are
    /// named to the privacy officer, since a holdout that shares patients with the training set is none.
    package let setAside: Int

    /// Above which a score is set aside, in scales above the median: about one in a hundred million.
    private static let outlier = 18.0

    /// - Parameter scores: higher is closer; at least two.
    package init(_ scores: [Double]) {
        let sorted = scores.sorted()
        func quantiles(_ some: [Double]) -> (middle: Double, scale: Double) {
            let middle = NullTail.quantile(some, 0.5)
            // From the median up: the upper half shapes the tail.
            return (
                middle,
                max(1e-9, NullTail.quantile(some, 0.9) - middle) / (NullTail.reduced(0.9) - NullTail.reduced(0.5))
            )
        }
        let rough = quantiles(sorted)
        let kept = sorted.filter { $0 <= rough.middle + NullTail.outlier * rough.scale }
        // Again without those set aside, which have moved the quantiles up by their share.
        let fitted = quantiles(kept), middle = fitted.middle
        var scale = fitted.scale
        // The mean excess above the median is less noisy than one quantile where little is left out.
        let excess = kept.filter { $0 > middle }.map { $0 - middle }
        if !excess.isEmpty {
            let mean = excess.reduce(0, +) / Double(excess.count)
            scale = max(scale, mean / NullTail.meanExcess)
        }
        // Of few scores the scale is uncertain by 1.1 / sqrt(n) of itself: take it one and a half deviations larger. Of
        // hardly any, the false alarms of the worst draws weigh more than that; the last term keeps their mean below
        // what was promised (simulated for 8 to 400).
        let n = Double(max(1, kept.count))
        scale *= 1 + 1.65 / n.squareRoot() + 60 / (n * n)
        count = kept.count
        median = middle
        self.scale = scale
        largest = kept.last ?? middle
        setAside = sorted.count - kept.count
    }

    /// The score that an innocent picture exceeds with this probability; never below any score that was seen.
    package func threshold(falseAlarmRate: Double) -> Double {
        max(largest, median + scale * (NullTail.reduced(1 - falseAlarmRate) - NullTail.reduced(0.5)))
    }

    /// Probability that an innocent picture scores this much or more.
    package func pValue(_ score: Double) -> Double {
        -expm1(-exp(-((score - median) / scale + NullTail.reduced(0.5))))
    }

    /// Gumbel's quantile at location 0 and scale 1.
    private static func reduced(_ probability: Double) -> Double { -log(-log(probability)) }

    /// Mean distance above the median of what lies above it, in scales: by quadrature of the quantile function.
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
