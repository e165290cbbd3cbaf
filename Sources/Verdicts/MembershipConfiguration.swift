/// What a model is asked of every photograph.
package struct MembershipConfiguration: Codable, Hashable, Sendable {
    /// Noise levels, evenly over ln(sigma).
    package var levels = 7
    /// They span the mean of the training's ln(sigma) and so many of its deviations to both sides.
    package var reach = 1.5
    /// Noises a level and photograph.
    package var draws = 2
    /// Ask for the mirrored photograph, too, where the model was trained on such.
    package var mirrors = true
    /// Bootstrap resamples of the patients.
    package var resamples = 1000
    package var seed: UInt64 = 0
    /// Photographs that go through the network together.
    package var batchSize = 16

    package init() {}

    /// One sentence on what is wrong, or nil.
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
