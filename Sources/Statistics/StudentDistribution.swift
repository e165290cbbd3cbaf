import Foundation

/// Student's t distribution.
package enum StudentDistribution {
    /// The probability of a value above `t`.
    /// - Parameter freedom: degrees of freedom, above 0; they need not be whole.
    package static func upperTail(_ t: Double, freedom: Double) -> Double {
        // Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.1 and 26.5.27.
        let both = incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5)
        return t >= 0 ? both / 2 : 1 - both / 2
    }

    /// The value below which the distribution has this probability, found by bisection.
    /// - Parameter probability: above 0 and below 1.
    package static func quantile(_ probability: Double, freedom: Double) -> Double {
        var high = 1.0
        while upperTail(high, freedom: freedom) > min(probability, 1 - probability) { high *= 2 }
        var low = -high
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if 1 - upperTail(middle, freedom: freedom) < probability { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The regularised incomplete beta function, by its continued fraction (Abramowitz and Stegun 26.5.8; evaluated as
    /// Lentz did, Applied Optics 15, 1976).
    private static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        if x <= 0 || x >= 1 { return x <= 0 ? 0 : 1 }
        if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
        let gammas: Double = lgamma(a + b) - lgamma(a) - lgamma(b)
        let powers: Double = a * log(x) + b * log(1 - x)
        let front = exp(gammas + powers) / a
        let tiny = 1e-300
        var c = 1.0, d = 1 - (a + b) * x / (a + 1)
        d = 1 / (abs(d) < tiny ? tiny : d)
        var result = d
        for m in 1...10_000 {
            let m = Double(m), place: Double = a + 2 * m
            let even: Double = m * (b - m) * x / ((place - 1) * place)
            let odd: Double = -(a + m) * (a + b + m) * x / (place * (place + 1))
            var last = 1.0
            for term in [even, odd] {
                d = 1 + term * d
                c = 1 + term / c
                d = 1 / (abs(d) < tiny ? tiny : d)
                if abs(c) < tiny { c = tiny }
                last = c * d
                result *= last
            }
            if abs(last - 1) < 1e-16 { break }
        }
        return front * result
    }
}
