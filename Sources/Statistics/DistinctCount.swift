extension Estimate {
    /// How many different things so many draws come upon, with the 95 % interval over draws of as many again.
    ///
    /// What was come upon twice is taken as certain to be come upon again; the number of those that were come upon once
    /// has the interval of a binomial count. A bootstrap of a distinct count is biased: draws with replacement come
    /// upon fewer things than the draws did, and its interval may not hold the count.
    ///
    /// - Parameters:
    ///   - found: what was come upon, one for each draw that came upon anything.
    ///   - draws: all draws.
    package init(distinct found: some Sequence<Int>, draws: Int) {
        let counts = Dictionary(grouping: found) { $0 }.mapValues(\.count)
        let once = Rate(hits: counts.values.count { $0 == 1 }, count: draws), again = counts.count - once.hits
        self.init(
            value: Double(counts.count), low: Double(again) + Double(draws) * once.lowerBound(confidence: 0.975),
            high: Double(again) + Double(draws) * once.upperBound(confidence: 0.975))
    }
}
