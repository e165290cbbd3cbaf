import Statistics

/// The area of an arm less that of another in one cell, on the same patients.
package struct CellComparison: Codable, Hashable, Sendable {
    package let cell: String
    /// How many patients the cell has, to the nearest five.
    package let patients: Int
    /// With the 95 % interval over patients, the same of both arms, and trainings.
    package let difference: Estimate
    /// The share of the difference's variance that comes from the chance in trainings and not from the patients.
    package let shareOfTrainings: Double
    /// How probable so large a difference is where there is none; and the same, corrected for the number of cells
    /// (Benjamini and Hochberg 1995).
    package let probability, adjusted: Double

    /// The error probability from which a difference counts as shown.
    package static let level = 0.05

    package var isShown: Bool { adjusted <= CellComparison.level }
    package var helps: Bool { isShown && difference.value > 0 }
    package var harms: Bool { isShown && difference.value < 0 }
}
