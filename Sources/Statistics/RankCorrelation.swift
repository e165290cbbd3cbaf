package enum RankCorrelation {
    /// Spearman's rank correlation, -1 to 1: Pearson's correlation of the ranks, where equal values share the mean of
    /// their ranks. Nil where either list has fewer than two different values.
    package static func spearman(_ a: [Double], _ b: [Double]) -> Double? {
        guard a.count == b.count else { fatalError("RankCorrelation: \(a.count) and \(b.count) values") }
        return pearson(ranks(a), ranks(b))
    }

    /// Pearson's correlation, -1 to 1. Nil where either list has fewer than two different values.
    package static func pearson(_ a: [Double], _ b: [Double]) -> Double? {
        guard a.count == b.count else { fatalError("RankCorrelation: \(a.count) and \(b.count) values") }
        let count = Double(a.count), means = (a.reduce(0, +) / count, b.reduce(0, +) / count)
        var products = 0.0, squares = (0.0, 0.0)
        for (x, y) in zip(a, b) {
            products += (x - means.0) * (y - means.1)
            squares.0 += (x - means.0) * (x - means.0)
            squares.1 += (y - means.1) * (y - means.1)
        }
        guard squares.0 > 0, squares.1 > 0 else { return nil }
        return products / (squares.0 * squares.1).squareRoot()
    }

    /// The rank of each value from 1 on.
    private static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count), start = 0
        while start < order.count {
            var end = start
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for place in start..<end { ranks[order[place]] = Double(start + 1 + end) / 2 }
            start = end
        }
        return ranks
    }
}
