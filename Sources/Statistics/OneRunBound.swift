import Foundation

/// A lower bound on epsilon from guesses at independent coin flips in one training (Steinke, Nasr and Jagielski 2023,
/// "Privacy auditing with one (1) training run", theorem 5.2).
///
/// Each of `examples` coin flips decided whether the training included an example. Of `guesses` guesses at their
/// results, at least `correct` are right, under (epsilon, delta)-differential privacy, with a probability of at most
///
///     beta + 2 examples delta alpha,   beta  = P[B >= correct],  B ~ Binomial(guesses, e^epsilon / (1 + e^epsilon)),
///                                      alpha = max over i >= 1 of P[correct > B >= correct - i] / i.
package enum OneRunBound {
    /// The logarithm of the probability of each number of successes, 0 to n.
    private static func logProbabilities(_ n: Int, _ p: Double) -> [Double] {
        (0...n).map { k in
            let choose = lgamma(Double(n + 1)) - lgamma(Double(k + 1)) - lgamma(Double(n - k + 1))
            return choose + (k == 0 ? 0 : Double(k) * log(p)) + (k == n ? 0 : Double(n - k) * log1p(-p))
        }
    }

    /// The largest probability of this many right guesses under (epsilon, delta)-differential privacy.
    package static func pValue(examples: Int, guesses: Int, correct: Int, epsilon: Double, delta: Double = 0) -> Double
    {
        guard guesses > 0, correct > 0 else { return 1 }
        let probabilities = logProbabilities(guesses, 1 / (1 + exp(-epsilon))).map(exp)
        // The smallest terms are added first, because the tail of nearly perfect guesses is small.
        let beta = probabilities[correct...].sorted().reduce(0, +)
        var alpha = 0.0, sum = 0.0
        for i in stride(from: 1, through: correct, by: 1) {
            sum += probabilities[correct - i]
            alpha = max(alpha, sum / Double(i))
        }
        return min(1, beta + 2 * Double(examples) * delta * alpha)
    }

    /// The largest epsilon that this many right guesses rule out.
    /// - Parameter significance: how often the bound may be wrong, such as 0.05.
    /// - Returns: 0 if they rule out nothing.
    package static func epsilon(examples: Int, guesses: Int, correct: Int, delta: Double = 0, significance: Double)
        -> Double
    {
        guard pValue(examples: examples, guesses: guesses, correct: correct, epsilon: 0, delta: delta) < significance
        else { return 0 }
        var low = 0.0, high = 1.0
        while high < 64,
            pValue(examples: examples, guesses: guesses, correct: correct, epsilon: high, delta: delta) < significance
        { high *= 2 }
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if pValue(examples: examples, guesses: guesses, correct: correct, epsilon: middle, delta: delta)
                < significance
            {
                low = middle
            } else {
                high = middle
            }
        }
        return low
    }
}
