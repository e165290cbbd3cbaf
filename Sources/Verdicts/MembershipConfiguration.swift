/// How a model is asked about every photograph.
package struct MembershipConfiguration: Codable, Hashable, Sendable {
    /// The number of noise levels, which are spaced evenly over ln(sigma).
    package var levels = 7
    /// The noise levels span the mean of the training's ln(sigma) and this many of its deviations to both sides.
    package var reach = 1.5
    /// How many noises are drawn for each level and photograph.
    package var draws = 2
    /// Also ask about the mirrored photograph, where the model was trained on mirrored photographs.
    package var mirrors = true
    /// The number of bootstrap resamples of the patients.
    package var resamples = 1000
    package var seed: UInt64 = 0
    /// How many photographs go through the network together.
    package var batchSize = 16

    package init() {}

    /// One sentence that says what is wrong; nil where nothing is.
    package var problem: String? {
        for (name, value, most) in [
            ("levels", levels, 100), ("draws", draws, 1000), ("resamples", resamples, 1_000_000),
            ("batchSize", batchSize, 1024),
        ]
        where !(1...most).contains(value) {
            return "membership.\(name): expected 1 to \(most), found \(value)"
        }
        return reach > 0 && reach <= 4 ? nil : "membership.reach: expected above 0 to 4, found \(reach)"
    }
}
