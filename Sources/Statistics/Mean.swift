extension [Double] {
    /// The mean; 0 without elements.
    package var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }

    /// The standard deviation of the population; 0 without elements.
    package var deviation: Double {
        let mean = mean
        return isEmpty ? 0 : (reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot()
    }
}
