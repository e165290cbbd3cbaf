/// Compares two models on the same patients: the mean difference, and its interval.
public struct PairedDifference: Codable, Hashable, Sendable {
    /// The mean of the first minus the second.
    public let mean: Double
    /// The 95 % interval of 10,000 bootstraps of patients.
    public let low: Double
    public let high: Double

    /// - Parameters:
    ///   - first, second: a loss of each patient, with the patients in the same order; not empty.
    public init(_ first: [Double], _ second: [Double]) {
        if first.count != second.count || first.isEmpty {
            fatalError("PairedDifference: \(first.count) and \(second.count) patients")
        }
        let differences = zip(first, second).map { $0 - $1 }, count = differences.count
        mean = differences.reduce(0, +) / Double(count)
        (low, high) = Bootstrap.interval([count], resamples: 10_000) { drawn in
            drawn[0].reduce(0) { $0 + differences[$1] } / Double(count)
        }
    }
}
