import Randomness

/// The value below which this share of the sorted numbers lies, interpolated linearly between two of them. NaN if there
/// are no numbers.
package func quantile(_ sorted: [Double], _ share: Double) -> Double {
    guard let last = sorted.last else { return .nan }
    let place = share * Double(sorted.count - 1), low = Int(place)
    return low + 1 < sorted.count ? sorted[low] + (place - Double(low)) * (sorted[low + 1] - sorted[low]) : last
}

package enum Bootstrap {
    /// The 95 % interval of a statistic over patients (Efron's percentiles). Whole groups, such as patients, are drawn
    /// with replacement.
    /// - Parameters:
    ///   - groups: the number of groups in each sample; the samples are drawn separately.
    ///   - statistic: computes the statistic from the indices of the groups that were drawn in each sample.
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
