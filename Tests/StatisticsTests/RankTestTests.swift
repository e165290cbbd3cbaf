import Randomness
import Statistics
import TensorCore
import Testing

@Suite struct RankTestTests {
    private let a: [Double] = [1, 2, 2, 3, 5, 5, 5, 8], b: [Double] = [0, 2, 2, 4, 5, 6, 1]

    @Test func `U counts pairs, ties half`() {
        var random = Philox(seed: 4, stream: .tests, index: 0)
        for _ in 0..<20 {
            let some = (0..<(1 + random.nextInteger(below: 12))).map { _ in Double(random.nextInteger(below: 6)) }
            let others = (0..<(1 + random.nextInteger(below: 12))).map { _ in Double(random.nextInteger(below: 6)) }
            var direct = 0.0
            for x in some { for y in others { direct += x > y ? 1 : x == y ? 0.5 : 0 } }
            #expect(RankTest.mannWhitney(some, above: others).u == direct)
            #expect(
                abs(RankTest.areaUnderCurve(some, above: others) - direct / Double(some.count * others.count)) <= 1e-15)
        }
    }

    /// scipy 1.17.1: `mannwhitneyu(a, b, use_continuity=False, method="asymptotic")` gives U = 35 and p =
    /// 0.4089613420368744, which is z = 0.8257228238447705; without the correction for ties it would be 0.8101.
    @Test func `z is corrected for ties`() {
        let found = RankTest.mannWhitney(a, above: b), other = RankTest.mannWhitney(b, above: a)
        #expect(found.u == 35 && abs(found.z - 0.8257228238447705) <= 1e-12)
        #expect(other.u == 21 && abs(other.z + found.z) <= 1e-12)
        #expect(RankTest.mannWhitney([3, 3], above: [3, 3, 3]).z == 0)
    }
}

@Suite struct BootstrapTests {
    private let values = (0..<40).map { Double($0 * $0 % 17) }

    private func interval(seed: UInt64 = 0, resamples: Int = 400, count: Int = 40) -> (low: Double, high: Double) {
        Bootstrap.interval([count], resamples: resamples, seed: seed) { drawn in
            drawn[0].reduce(0) { $0 + values[$1] } / Double(count)
        }
    }

    @Test func `an interval follows from its seed, holds the mean, and narrows with more patients`() {
        let one = interval(), again = interval(), other = interval(seed: 1), few = interval(count: 8)
        let mean = values.reduce(0, +) / 40
        #expect(one == again && one != other)
        #expect(one.low < mean && mean < one.high)
        #expect(few.high - few.low > 1.5 * (one.high - one.low))
    }

    @Test func `groups are drawn whole, each apart, and as many as there are`() {
        var sizes: Set<[Int]> = [], largest = [0, 0], repeats = false
        _ = Bootstrap.interval([5, 9], resamples: 50) { drawn in
            sizes.insert(drawn.map(\.count))
            for i in 0...1 { largest[i] = max(largest[i], drawn[i].max() ?? 0) }
            repeats = repeats || Set(drawn[1]).count < 9
            return 0
        }
        #expect(sizes == [[5, 9]] && largest == [4, 8] && repeats)
    }
}
