import Statistics

/// The area of an arm less that of another in one cell, on the same patients.
package struct CellComparison: Codable, Hashable, Sendable {
    package let cell: String
    /// How many patients the cell has, to the nearest five.
    package let patients: Int
    /// With the 95 % interval over resamples of patients and trainings, the same of both arms.
    package let difference: Estimate
    /// How probable so large a difference is where there is none, by the resamples; and the same, corrected for the
    /// number of cells (Benjamini and Hochberg 1995).
    package let probability, adjusted: Double

    /// The error probability from which a difference counts as shown.
    package static let level = 0.05

    package var isShown: Bool { adjusted <= CellComparison.level }
    package var helps: Bool { isShown && difference.value > 0 }
    package var harms: Bool { isShown && difference.value < 0 }
}

/// A difference before it is corrected for the number of cells.
struct RawComparison {
    let difference: Estimate
    let probability: Double

    /// - Parameter draws: the trainings that each resample drew, for both arms.
    init(_ arm: ResampledAreas, _ other: ResampledAreas, draws: [[Int]]) {
        let drawn = draws.indices.map { arm.mean($0, draws[$0]) - other.mean($0, draws[$0]) }
            .filter { !$0.isNaN }.sorted()
        difference = Estimate(
            value: arm.value - other.value, low: quantile(drawn, 0.025), high: quantile(drawn, 0.975))
        // Two-sided; the share is never 0, because no number of resamples shows that (Davison and Hinkley 1997,
        // equation 4.11).
        let count = Double(drawn.count + 1)
        let below = Double(drawn.count { $0 <= 0 } + 1) / count, above = Double(drawn.count { $0 >= 0 } + 1) / count
        probability = min(1, 2 * min(below, above))
    }
}
