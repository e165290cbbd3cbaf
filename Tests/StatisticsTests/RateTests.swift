import Statistics
import Testing

@Suite struct RateTests {
    /// scipy 1.17.1: `beta.ppf(c, k + 1, n - k)` and `beta.ppf(1 - c, k, n - k + 1)`.
    @Test(arguments: [
        (0, 1000, 0.95, 0.002991249545095295, 0.0), (0, 10_000, 0.95, 0.00029952835977661195, 0.0),
        (5, 1000, 0.95, 0.010484076911415651, 0.0019721531418052476),
        (5, 1000, 0.975, 0.011629470559812147, 0.0016254195175627604),
        (37, 412, 0.95, 0.11644961774095763, 0.06768220325281674),
        (999, 1000, 0.95, 0.999948708021091, 0.9952650064245002),
        (1, 20, 0.95, 0.2161061642068473, 0.002561378776530283),
    ]) func `bounds are Clopper's and Pearson's`(
        _ hits: Int, _ count: Int, _ confidence: Double, _ upper: Double, _ lower: Double
    ) {
        let rate = Rate(hits: hits, count: count)
        let above = rate.upperBound(confidence: confidence), below = rate.lowerBound(confidence: confidence)
        #expect(abs(above - upper) <= 1e-10 * max(1, 1e2 * upper), "\(above), not \(upper)")
        #expect(abs(below - lower) <= 1e-10 * max(1, 1e2 * lower), "\(below), not \(lower)")
    }

    @Test func `nothing of nothing bounds nothing, and all of all is bounded from below`() {
        let none = Rate(hits: 0, count: 0), all = Rate(hits: 20, count: 20)
        #expect(none.upperBound() == 1 && none.lowerBound() == 0 && none.value.isNaN)
        // 0.05^(1/20)
        #expect(all.upperBound() == 1 && abs(all.lowerBound() - 0.8608916593317348) <= 1e-9)
    }

    @Test func `a difference is beyond doubt only where both bounds say so`() {
        let many = Rate(hits: 30, count: 100), few = Rate(hits: 1, count: 100), some = Rate(hits: 29, count: 100)
        let excess = many.lowerBound(above: few),
            each = many.lowerBound(confidence: 0.975) - few.upperBound(confidence: 0.975)
        #expect(abs(excess - each) <= 1e-12 && excess > 0.1)
        #expect(many.lowerBound(above: some) < 0 && few.lowerBound(above: many) < -0.2)
        // A holdout of nobody shows nothing.
        #expect(many.lowerBound(above: Rate(hits: 0, count: 0)) < 0)
    }
}
