import Foundation

/// How well a score separates members from non-members. Higher scores mean membership.
package struct RocCurve: Sendable {
    /// The scores of both groups, one for each patient.
    package let members: [Double]
    package let nonMembers: [Double]

    package init(members: [Double], nonMembers: [Double]) {
        self.members = members
        self.nonMembers = nonMembers
    }

    /// A point of the curve: the shares of both groups whose score is at least some threshold.
    package struct Point: Codable, Hashable, Sendable {
        package var falsePositiveRate: Double
        package var truePositiveRate: Double
    }

    /// Distinct scores from the highest down, with how many members and non-members have each.
    private var steps: [(members: Int, nonMembers: Int)] {
        let all = (members.map { ($0, true) } + nonMembers.map { ($0, false) }).sorted { $0.0 > $1.0 }
        var result: [(members: Int, nonMembers: Int)] = [], last: Double?
        for (score, isMember) in all {
            if score != last { result.append((0, 0)) }
            last = score
            if isMember { result[result.count - 1].members += 1 } else { result[result.count - 1].nonMembers += 1 }
        }
        return result
    }

    /// The curve from (0, 0) to (1, 1), with one point for each distinct score.
    package var points: [Point] {
        var found = (members: 0, nonMembers: 0), result = [Point(falsePositiveRate: 0, truePositiveRate: 0)]
        for step in steps {
            found.members += step.members
            found.nonMembers += step.nonMembers
            result.append(
                Point(
                    falsePositiveRate: Double(found.nonMembers) / Double(max(1, nonMembers.count)),
                    truePositiveRate: Double(found.members) / Double(max(1, members.count))))
        }
        return result
    }

    /// The area under the curve: the share of pairs in which the member's score is the higher one, ties counted half
    /// (Mann and Whitney 1947). NaN if a group is empty.
    package var area: Double { RocCurve.area(members: members, nonMembers: nonMembers) }

    private static func area(members: [Double], nonMembers: [Double]) -> Double {
        guard !members.isEmpty, !nonMembers.isEmpty else { return .nan }
        let sorted = nonMembers.sorted()
        // How many of the sorted scores are below `score`, or at most `score` with `includingEqual`.
        func count(_ score: Double, includingEqual: Bool) -> Int {
            var low = 0, high = sorted.count
            while low < high {
                let middle = (low + high) / 2
                if sorted[middle] < score || includingEqual && sorted[middle] == score {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            return low
        }
        // The sum counts halves as whole numbers, so that it is exact.
        let halves = members.reduce(0) { $0 + count($1, includingEqual: false) + count($1, includingEqual: true) }
        return Double(halves) / (2 * Double(members.count) * Double(nonMembers.count))
    }

    /// The middle 95 % of the area over resamples of the patients, with members and non-members drawn separately (Efron
    /// 1979, the percentile interval). If the groups do not overlap, the interval has no width, although another
    /// holdout might overlap.
    package func areaInterval(resamples: Int, seed: UInt64) -> ClosedRange<Double>? {
        guard !members.isEmpty, !nonMembers.isEmpty, resamples > 0 else { return nil }
        let interval = Bootstrap.interval([members.count, nonMembers.count], resamples: resamples, seed: seed) {
            drawn in
            RocCurve.area(members: drawn[0].map { members[$0] }, nonMembers: drawn[1].map { nonMembers[$0] })
        }
        return interval.low...interval.high
    }

    /// The largest share of members that is found while at most `rate` of the non-members are found. Nil if there are
    /// fewer than 10 / rate non-members, because too few of them would then decide.
    package func truePositiveRate(atFalsePositiveRate rate: Double) -> Double? {
        guard nonMembers.count >= RocCurve.nonMembersNeeded(rate) else { return nil }
        return points.filter { $0.falsePositiveRate <= rate }.map(\.truePositiveRate).max()
    }

    /// The number of non-members that is needed before a rate is stated.
    package static func nonMembersNeeded(_ rate: Double) -> Int { Int((10 / rate).rounded(.up)) }

    /// The largest TPR - FPR over all thresholds (Yeom et al. 2018). It is optimistic, because the threshold is chosen
    /// on the same patients that it is measured on: even scores without any meaning give more than 0.
    package var advantage: Double { points.map { $0.truePositiveRate - $0.falsePositiveRate }.max() ?? 0 }
}
