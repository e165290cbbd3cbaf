import Foundation
import Statistics

/// Cohen's kappa with quadratic weights (Cohen 1968): 1 for equal grades, 0 for those that chance would give.
/// - Parameters:
///   - truth, found: grades from 0 on, of the same cases.
/// - Returns: NaN where all grades of both are one.
package func quadraticKappa(_ truth: [Int], _ found: [Int]) -> Double {
    guard truth.count == found.count, !truth.isEmpty, (truth + found).allSatisfy({ $0 >= 0 }) else {
        fatalError("quadraticKappa: \(truth.count) and \(found.count) grades")
    }
    let count = Double(truth.count)
    func square(_ a: Int, _ b: Int) -> Double { Double((a - b) * (a - b)) }
    let observed = zip(truth, found).reduce(0) { $0 + square($1.0, $1.1) } / count
    let ofTruth = Dictionary(grouping: truth) { $0 }.mapValues { Double($0.count) }
    let ofFound = Dictionary(grouping: found) { $0 }.mapValues { Double($0.count) }
    var expected = 0.0
    for (a, cases) in ofTruth.sorted(by: { $0.key < $1.key }) {
        for (b, others) in ofFound.sorted(by: { $0.key < $1.key }) {
            expected += cases * others * square(a, b) / (count * count)
        }
    }
    return 1 - observed / expected
}

extension RocCurve {
    /// The largest share of members that is found while at least `specificity` of the non-members are not.
    package func sensitivity(atSpecificity specificity: Double) -> Double {
        // 1 - 0.9 is a little less than 0.1.
        points.filter { $0.falsePositiveRate <= 1 - specificity + 1e-12 }.map(\.truePositiveRate).max() ?? 0
    }
}

/// How far probabilities can be believed.
package struct Calibration: Codable, Hashable, Sendable {
    /// The mean squared difference of probability and outcome (Brier 1950).
    package let brier: Double
    /// The mean difference of the mean probability and the share of cases, over bins of equally many probabilities in
    /// their order.
    package let expectedError: Double
    /// Slope and intercept of the outcome's logit by the probability's (Cox 1958): 1 and 0 for probabilities that can
    /// be believed; a slope below 1 for those that are too sure. Nil where the outcomes are all the same, or the
    /// probabilities separate them.
    package let slope, intercept: Double?

    /// Probabilities are kept this far from 0 and 1, so that they have a logit.
    private static let least = 1e-6

    /// - Parameters:
    ///   - probabilities: 0 to 1, not empty.
    ///   - outcomes: whether each is a case.
    package init(_ probabilities: [Double], _ outcomes: [Bool], bins: Int = 10) {
        guard probabilities.count == outcomes.count, !probabilities.isEmpty, bins > 0 else {
            fatalError("Calibration: \(probabilities.count) probabilities and \(outcomes.count) outcomes")
        }
        let count = probabilities.count, truths = outcomes.map { $0 ? 1.0 : 0 }
        brier = zip(probabilities, truths).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(count)
        let cases = Calibration.withoutTies(probabilities, truths)
        var error = 0.0
        for bin in 0..<bins {
            let part = cases[bin * count / bins..<(bin + 1) * count / bins]
            error += abs(part.reduce(0) { $0 + $1.probability - $1.outcome }) / Double(count)
        }
        expectedError = error
        let logits = probabilities.map { value -> Double in
            let inside = min(1 - Calibration.least, max(Calibration.least, value))
            return log(inside / (1 - inside))
        }
        let line = Calibration.line(logits, truths)
        (slope, intercept) = (line?.slope, line?.intercept)
    }

    /// The cases in the order of their probabilities. Those of one probability get their mean outcome, so that it does
    /// not matter which of them a bin takes.
    private static func withoutTies(
        _ probabilities: [Double], _ outcomes: [Double]
    ) -> [(probability: Double, outcome: Double)] {
        let order = probabilities.indices.sorted { probabilities[$0] < probabilities[$1] }
        var cases: [(probability: Double, outcome: Double)] = [], start = 0
        while start < order.count {
            let value = probabilities[order[start]]
            let end = order[start...].firstIndex { probabilities[$0] != value } ?? order.count
            let mean = order[start..<end].reduce(0) { $0 + outcomes[$1] } / Double(end - start)
            cases += order[start..<end].map { _ in (value, mean) }
            start = end
        }
        return cases
    }

    /// Logistic regression with one predictor, by Newton's method with halved steps where a whole one is worse.
    private static func line(_ x: [Double], _ y: [Double]) -> (slope: Double, intercept: Double)? {
        /// The logarithm of the outcomes' probability, which has one maximum.
        func likelihood(_ a: Double, _ b: Double) -> Double {
            zip(x, y).reduce(0) { sum, pair in
                let value = a + b * pair.0
                return sum + pair.1 * value - (max(0, value) + log1p(exp(-abs(value))))
            }
        }
        var a = 0.0, b = 0.0, best = likelihood(a, b)
        for _ in 0..<100 {
            var gradient = (0.0, 0.0), matrix = (0.0, 0.0, 0.0)
            for (x, y) in zip(x, y) {
                let p = 1 / (1 + exp(-(a + b * x))), weight = p * (1 - p)
                gradient = (gradient.0 + y - p, gradient.1 + (y - p) * x)
                matrix = (matrix.0 + weight, matrix.1 + weight * x, matrix.2 + weight * x * x)
            }
            let determinant = matrix.0 * matrix.2 - matrix.1 * matrix.1
            guard determinant > 1e-12 else { return nil }
            let step = (
                (matrix.2 * gradient.0 - matrix.1 * gradient.1) / determinant,
                (matrix.0 * gradient.1 - matrix.1 * gradient.0) / determinant
            )
            if abs(step.0) + abs(step.1) < 1e-9 { return (b, a) }
            var length = 1.0
            while length > 1e-6, likelihood(a + length * step.0, b + length * step.1) < best { length /= 2 }
            (a, b) = (a + length * step.0, b + length * step.1)
            best = likelihood(a, b)
            guard abs(a) < 1e3, abs(b) < 1e3 else { return nil }
        }
        return nil
    }
}

/// Error probabilities of many comparisons, raised so that of those below some limit at most that share is false in the
/// long run (Benjamini and Hochberg 1995).
package func falseDiscoveryAdjusted(_ probabilities: [Double]) -> [Double] {
    let order = probabilities.indices.sorted { probabilities[$0] > probabilities[$1] }, count = probabilities.count
    var adjusted = probabilities, least = 1.0
    for (place, index) in order.enumerated() {
        least = min(least, probabilities[index] * Double(count) / Double(count - place))
        adjusted[index] = least
    }
    return adjusted
}
