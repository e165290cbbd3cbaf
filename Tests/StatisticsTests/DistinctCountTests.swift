import Foundation
import Randomness
import Statistics
import Testing

@Suite struct DistinctCountTests {
    /// The case in which a bootstrap stated 28 with an interval of 13 to 22.
    @Test func theIntervalHoldsTheCount() {
        let found = Array(0..<28) + Array(0..<4)
        let estimate = Estimate(distinct: found, draws: 1000)
        #expect(estimate.value == 28)
        // 24 were found once: the exact binomial bounds at 97.5 % are 15.45 and 35.52 of 1000.
        #expect(abs(estimate.low - (4 + 15.45)) < 0.1 && abs(estimate.high - (4 + 35.52)) < 0.1, "\(estimate)")
        let none = Estimate(distinct: [Int](), draws: 1000)
        #expect(none.value == 0 && none.low == 0 && abs(none.high - 3.68) < 0.01)
        #expect(Estimate(distinct: [7, 7, 7], draws: 3).value == 1)
    }

    /// Over many draws of patients who are hit by chance, the interval holds what another draw of as many finds at
    /// least as often as it says, but for the other draw's own scatter.
    @Test func theIntervalHoldsTheExpectation() {
        let rates = (0..<60).map { patient in 0.0002 * Double(1 + patient % 7) }
        let expected = rates.reduce(0) { $0 + 1 - pow(1 - $1, 500) }
        let held = (0..<400).count { run in
            var random = Philox(seed: 1, stream: .tests, index: UInt64(run))
            var found: [Int] = []
            for _ in 0..<500 {
                for (patient, rate) in rates.enumerated() where random.nextUniform() < rate { found.append(patient) }
            }
            let estimate = Estimate(distinct: found, draws: 500)
            return estimate.low <= expected && expected <= estimate.high
        }
        #expect(held >= 376, "\(held) of 400")
    }
}
