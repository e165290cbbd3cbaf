extension Estimate {
    /// How many different things were found in a number of draws, with the 95 % interval for repeating as many draws.
    ///
    /// Things that were found at least twice are taken as certain to be found again. The number of things that were
    /// found once has the interval of a binomial count. A bootstrap of a distinct count would be biased: drawing again
    /// with replacement finds fewer things than the original draws, so that its interval may not contain the count.
    ///
    /// - Parameters:
    ///   - found: the thing that was found, for each draw that found something.
    ///   - draws: the number of all draws.
    package init(distinct found: some Sequence<Int>, draws: Int) {
        let counts = Dictionary(grouping: found) { $0 }.mapValues(\.count)
        let once = Rate(hits: counts.values.count { $0 == 1 }, count: draws), again = counts.count - once.hits
        self.init(
            value: Double(counts.count), low: Double(again) + Double(draws) * once.lowerBound(confidence: 0.975),
            high: Double(again) + Double(draws) * once.upperBound(confidence: 0.975))
    }
}
