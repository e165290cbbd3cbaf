import Randomness
import Statistics
import Testing

@Suite struct QuantilesTests {
    @Test func `quantiles are those of the sorted numbers`() {
        var random = Philox(seed: 1, stream: .tests, index: 0)
        let even = (0..<1000).map { _ in random.nextUniform() }
        let sets: [[Double]] = [
            [3], [2, 1], [5, 5, 5], even, even.map { -$0 }, even.map { ($0 * 4).rounded() - 2 },
            // Nearly all in one part.
            even + [1e12], [.leastNonzeroMagnitude, 0, -0.0], even.sorted().reversed(),
        ]
        for values in sets {
            let found = Quantiles(values), sorted = values.sorted()
            for share in [0, 0.1, 0.25, 0.5, 0.777, 0.9, 0.999, 1] { #expect(found(share) == quantile(sorted, share)) }
        }
    }
}
