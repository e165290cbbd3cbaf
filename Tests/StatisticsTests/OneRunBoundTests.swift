import CheckpointStore
import Foundation
import Statistics
import Testing
import Verdicts

@Suite struct OneRunBoundTests {
    @Test func `a hundred right guesses of a hundred rule out what a binomial does`() {
        // q^100 = 0.05, epsilon = ln(q / (1 - q)) = 3.493
        let q = pow(0.05, 0.01), expected = log(q / (1 - q))
        #expect(abs(expected - 3.4933) <= 1e-3)
        #expect(
            abs(OneRunBound.epsilon(examples: 100, guesses: 100, correct: 100, significance: 0.05) - expected) <= 1e-6)
    }

    @Test func `half right guesses rule out nothing`() {
        #expect(OneRunBound.epsilon(examples: 100, guesses: 100, correct: 50, significance: 0.05) == 0)
        #expect(OneRunBound.epsilon(examples: 100, guesses: 0, correct: 0, significance: 0.05) == 0)
    }

    /// The tail of a binomial by its recurrence in float64, apart from the one under test.
    @Test func `the tail is the binomial's`() {
        let epsilon = 0.7, q = exp(epsilon) / (1 + exp(epsilon)), n = 40
        var probability = pow(1 - q, Double(n)), tail = 0.0
        for k in 0...n {
            if k >= 33 { tail += probability }
            probability *= Double(n - k) / Double(k + 1) * q / (1 - q)
        }
        #expect(abs(OneRunBound.pValue(examples: 100, guesses: n, correct: 33, epsilon: epsilon) - tail) <= 1e-12)
    }

    @Test func `delta makes the same guesses likelier, and the bound smaller`() {
        func bound(_ delta: Double) -> Double {
            OneRunBound.epsilon(examples: 1000, guesses: 200, correct: 190, delta: delta, significance: 0.05)
        }
        let none = bound(0), small = bound(1e-5), large = bound(1e-3)
        #expect(none > small && small > large && large >= 0)
        // With theorem 5.2's own terms, summed here: alpha is the largest mean of i probabilities below.
        let q = 1 / (1 + exp(-1.0)), n = 10, correct = 9
        var p = [pow(1 - q, Double(n))]
        for k in 0..<n { p.append(p[k] * Double(n - k) / Double(k + 1) * q / (1 - q)) }
        var alpha = 0.0
        for i in 1...correct {
            let sum: Double = p[(correct - i)..<correct].reduce(0, +)
            alpha = max(alpha, sum / Double(i))
        }
        let expected: Double = p[9] + p[10] + 2 * 20 * 1e-4 * alpha
        #expect(
            abs(OneRunBound.pValue(examples: 20, guesses: n, correct: correct, epsilon: 1, delta: 1e-4) - expected)
                <= 1e-12)
    }
}

@Suite struct CanaryResultTests {
    private let record = CanaryRecord(digest: "d", count: 100, included: 50, repetitions: 1, seed: 0)
    private let isIncluded = (0..<100).map { $0 % 2 == 0 }

    @Test func `scores that say everything give the bound of a hundred guesses among four choices`() throws {
        let result = try #require(
            CanaryResult(scores: isIncluded.map { $0 ? 1 : 0 }, isIncluded: isIncluded, record: record))
        let q = pow(0.05 / 4, 0.01)
        #expect(abs(try #require(result.epsilon) - log(q / (1 - q))) <= 1e-6)
        #expect(result.guesses?.map(\.each) == [5, 12, 25, 50] && result.guesses?.map(\.correct) == [10, 24, 50, 100])
        #expect(
            result.area.value == 1 && abs(result.exposure.mean - log2(51)) <= 1e-9 && result.exposure.limit == log2(51))
    }

    @Test func `scores that say nothing give no bound`() throws {
        // The order has nothing to do with the coins: 37 is prime to 100, and flips parity only where it wraps.
        let scores = (0..<100).map { Double(($0 / 2 * 37) % 50) }
        let result = try #require(CanaryResult(scores: scores, isIncluded: isIncluded, record: record))
        #expect(result.epsilon == 0)
        #expect(result.area.interval.contains(0.5))
        #expect(abs(result.exposure.mean - result.exposure.meaningless) <= 0.1)
    }

    @Test func `repeated canaries have exposure and no epsilon`() throws {
        var repeated = record
        repeated.repetitions = 16
        let result = try #require(
            CanaryResult(scores: isIncluded.map { $0 ? 1 : 0 }, isIncluded: isIncluded, record: repeated))
        #expect(result.epsilon == nil && result.guesses == nil && result.exposure.largest == log2(51))
    }

    @Test func `exposure falls by a bit where the rank doubles`() {
        let others = (0..<7).map(Double.init)
        #expect(CanaryResult.exposure(9, among: others) == 3)
        #expect(CanaryResult.exposure(5.5, among: others) == 2)
        #expect(CanaryResult.exposure(-1, among: others) == 0)
        // An equal score ranks above.
        #expect(CanaryResult.exposure(6, among: others) == 2)
    }
}
