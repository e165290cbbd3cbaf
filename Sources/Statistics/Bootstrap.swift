import Randomness

/// The value below which this share of sorted numbers lies, between two of them linearly; NaN without a number.
package func quantile(_ sorted: [Double], _ share: Double) -> Double {
    guard let last = sorted.last else { return .nan }
    let place = share * Double(sorted.count - 1), low = Int(place)
    return low + 1 < sorted.count ? sorted[low] + (place - Double(low)) * (sorted[low + 1] - sorted[low]) : last
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
        return (quantile(drawn, 0.025), quantile(drawn, 0.975))
    }
}
