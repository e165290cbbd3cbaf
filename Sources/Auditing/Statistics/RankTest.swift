import Foundation
import TensorCore
import Training

/// A number with the interval that it lies in at 95 %.
package struct Estimate: Codable, Hashable, Sendable {
    package let value: Double
    package let low: Double
    package let high: Double

    package init(value: Double, low: Double, high: Double) {
        self.value = value
        self.low = low
        self.high = high
    }
}

package enum RankTest {
    /// Mann and Whitney's U of `a` above `b`, ties half, and its z-score, with the variance corrected for ties.
    package static func mannWhitney(_ a: [Double], above b: [Double]) -> (u: Double, z: Double) {
        let all = (a.map { ($0, true) } + b.map { ($0, false) }).sorted { $0.0 < $1.0 }
        var rankSum = 0.0, ties = 0.0, start = 0
        while start < all.count {
            var end = start
            while end < all.count, all[end].0 == all[start].0 { end += 1 }
            let rank = Double(start + 1 + end) / 2, size = Double(end - start)
            rankSum += rank * Double(all[start..<end].count { $0.1 })
            ties += size * size * size - size
            start = end
        }
        let m = Double(a.count), n = Double(b.count), total = m + n
        let u = rankSum - m * (m + 1) / 2
        let variance = m * n / 12 * (total + 1 - ties / (total * (total - 1)))
        return (u, variance > 0 ? (u - m * n / 2) / variance.squareRoot() : 0)
    }

    /// Probability that one of `a` is above one of `b`, ties half: the area under the ROC curve.
    package static func areaUnderCurve(_ a: [Double], above b: [Double]) -> Double {
        mannWhitney(a, above: b).u / (Double(a.count) * Double(b.count))
    }
}

package enum Bootstrap {
    /// The 95 % interval of a statistic over patients (Efron's percentiles): groups are drawn again, whole.
    /// - Parameters:
    ///   - groups: how many there are to draw from, in each of some samples that are drawn apart.
    ///   - statistic: of the groups that were drawn, in each sample.
    package static func interval(
        _ groups: [Int], resamples: Int = 1000, seed: UInt64 = 0, _ statistic: ([[Int]]) -> Double
    ) -> (low: Double, high: Double) {
        let drawn = (0..<resamples).map { round in
            var random = Philox(seed: seed, stream: .bootstrap, index: UInt64(round))
            return statistic(groups.map { count in (0..<count).map { _ in random.nextInteger(below: count) } })
        }.filter { !$0.isNaN }.sorted()
        guard let first = drawn.first, let last = drawn.last else { return (.nan, .nan) }
        func quantile(_ share: Double) -> Double {
            let place = share * Double(drawn.count - 1), low = Int(place)
            return low + 1 < drawn.count ? drawn[low] + (place - Double(low)) * (drawn[low + 1] - drawn[low]) : last
        }
        return drawn.count < 2 ? (first, last) : (quantile(0.025), quantile(0.975))
    }
}
