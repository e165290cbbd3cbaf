import Foundation

/// How often something happened, with exact bounds (Clopper and Pearson 1934).
package struct Rate: Codable, Hashable, Sendable {
    package let hits: Int
    package let count: Int
    package var value: Double { count == 0 ? .nan : Double(hits) / Double(count) }

    package init(hits: Int, count: Int) {
        self.hits = hits
        self.count = count
    }

    /// The upper one-sided bound. Without hits in K it is 1 - 0.05^(1/K) at 95 %, about 3/K.
    package func upperBound(confidence: Double = 0.95) -> Double {
        if count == 0 || hits >= count { return 1 }
        return Rate.root { tail in Rate.atMost(hits, of: count, tail) > 1 - confidence }
    }

    /// The lower one-sided bound.
    package func lowerBound(confidence: Double = 0.95) -> Double {
        if count == 0 || hits <= 0 { return 0 }
        return Rate.root { tail in 1 - Rate.atMost(hits - 1, of: count, tail) < 1 - confidence }
    }

    /// The lower one-sided bound of (this - other). Each rate gets half of the error probability, so that the bound
    /// holds whatever the two rates are.
    package func lowerBound(above other: Rate, confidence: Double = 0.95) -> Double {
        let each = 1 - (1 - confidence) / 2
        return lowerBound(confidence: each) - other.upperBound(confidence: each)
    }

    /// The largest p with `holds(p)`, which must be true below that p and false above it.
    private static func root(_ holds: (Double) -> Bool) -> Double {
        var low = 0.0, high = 1.0
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if holds(middle) { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The probability of at most `hits` of `count`, each with probability `p`.
    package static func atMost(_ hits: Int, of count: Int, _ p: Double) -> Double {
        if p <= 0 || hits >= count { return 1 }
        if p >= 1 || hits < 0 { return 0 }
        var sum = 0.0
        for k in 0...hits {
            let ways: Double = lgamma(Double(count) + 1) - lgamma(Double(k) + 1) - lgamma(Double(count - k) + 1)
            sum += exp(ways + Double(k) * log(p) + Double(count - k) * log1p(-p))
        }
        return min(1, sum)
    }
}
