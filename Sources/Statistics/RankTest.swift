import Foundation

package enum RankTest {
    /// Mann and Whitney's U of `a` above `b`, with ties counted half, and its z-score, with the variance corrected for
    /// ties.
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

    /// The probability that one of `a` is above one of `b`, with ties counted half: the area under the ROC curve.
    package static func areaUnderCurve(_ a: [Double], above b: [Double]) -> Double {
        mannWhitney(a, above: b).u / (Double(a.count) * Double(b.count))
    }
}
