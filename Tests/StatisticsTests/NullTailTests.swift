import Foundation
import Randomness
import Statistics
import TensorCore
import Testing

@Suite struct NullTailTests {
    private static func scores(_ count: Int, index: UInt64) -> [Double] {
        var random = Philox(seed: 21, stream: .tests, index: index)
        // Gumbel's, by the inverse of its distribution; location 3, scale 0.5.
        return (0..<count).map { _ in 3 - 0.5 * log(-log(max(1e-12, random.nextUniform()))) }
    }

    private static let fresh = scores(100_000, index: 0).sorted()

    /// The share of fresh scores above a threshold.
    private static func falseAlarms(_ threshold: Double) -> Double {
        var low = 0, high = fresh.count
        while low < high {
            let middle = (low + high) / 2
            if fresh[middle] > threshold { high = middle } else { low = middle + 1 }
        }
        return Double(fresh.count - low) / Double(fresh.count)
    }

    @Test(arguments: [8, 12, 20, 50, 400]) func `innocent pictures are flagged as seldom as promised`(_ count: Int) {
        let repetitions = 1500, promised = 0.001
        let mean =
            (0..<repetitions).reduce(0.0) { sum, number in
                let tail = NullTail(Self.scores(count, index: UInt64(count) << 20 | UInt64(number)))
                return sum + Self.falseAlarms(tail.threshold(falseAlarmRate: promised))
            } / Double(repetitions)
        #expect(mean <= promised, "\(mean)")
        #expect(mean >= 0.0001, "\(mean): power is given away")
    }

    @Test(arguments: [20, 50, 400]) func `copies among the innocent are set aside and do not move the threshold`(
        _ count: Int
    ) {
        for number in 0..<40 {
            let innocent = Self.scores(count, index: 1 << 40 | UInt64(count) << 20 | UInt64(number))
            let clean = NullTail(innocent), mixed = NullTail(innocent + [Double](repeating: 33, count: count / 20))
            let moved = abs(mixed.threshold(falseAlarmRate: 0.001) - clean.threshold(falseAlarmRate: 0.001))
            #expect(mixed.setAside == count / 20 && mixed.count == count && clean.setAside == 0)
            #expect(moved <= clean.scale, "\(moved / clean.scale) scales")
            #expect(mixed.largest == clean.largest)
        }
    }

    @Test func `no threshold lies below a score that was seen, and its probability is the rate`() {
        let tail = NullTail(Self.scores(50, index: 2)), threshold = tail.threshold(falseAlarmRate: 0.001)
        #expect(abs(tail.pValue(threshold) - 0.001) <= 1e-9)
        #expect(abs(tail.pValue(tail.median) - 0.5) <= 1e-12)
        #expect(tail.threshold(falseAlarmRate: 0.5) == tail.largest)
        #expect(tail.threshold(falseAlarmRate: 1e-4) > threshold)
        // Scores that are all the same do not divide by zero.
        let flat = NullTail([Double](repeating: 2, count: 10))
        #expect(flat.threshold(falseAlarmRate: 0.001).isFinite && flat.threshold(falseAlarmRate: 0.001) >= 2)
    }
}
