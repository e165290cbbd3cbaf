import Statistics

/// Distances between whole sets. Each measure is taken with the training photographs and with the photographs of as
/// many holdout patients, and the two are subtracted. The samples of a model that has kept nothing of single patients
/// are as near to patients that it never saw. A model's style or blur changes both distances alike.
package struct DistanceFigures: Codable, Hashable, Sendable {
    package struct Measure: Codable, Hashable, Sendable {
        /// The measure with training photographs.
        package let train: Double
        /// The measure with holdout photographs.
        package let holdout: Double
        /// `train` minus `holdout`, with its 95 % interval.
        package let difference: Estimate

        package init(train: Double, holdout: Double, difference: Estimate) {
            (self.train, self.holdout, self.difference) = (train, holdout, difference)
        }
    }

    package let dataCopying: DataCopying
    /// The share of samples that lie farther from their nearest photograph than that photograph lies from its own
    /// nearest neighbour (Alaa et al. 2022, "How faithful is your synthetic data?", section 4.3).
    package let authenticity: Measure
    /// The median ratio of the distances to the nearest and to the second nearest photograph.
    package let nearestNeighborDistanceRatio: Measure
    /// The 5th percentile of the distance to the nearest photograph.
    package let distanceToClosestRecord: Measure
    /// Nearest-neighbour adversarial accuracy (Yale et al. 2020): 0.5 where samples and photographs cannot be told
    /// apart. The difference is the privacy loss with the opposite sign: it is negative where the samples match the
    /// training photographs better than others.
    package let adversarialAccuracy: Measure

    package init(
        dataCopying: DataCopying, authenticity: Measure, nearestNeighborDistanceRatio: Measure,
        distanceToClosestRecord: Measure, adversarialAccuracy: Measure
    ) {
        self.dataCopying = dataCopying
        self.authenticity = authenticity
        self.nearestNeighborDistanceRatio = nearestNeighborDistanceRatio
        self.distanceToClosestRecord = distanceToClosestRecord
        self.adversarialAccuracy = adversarialAccuracy
    }
}

/// Whether samples lie nearer to the training photographs than photographs of others do (Meehan, Chaudhuri and Dasgupta
/// 2020, "A non-parametric test to detect data-copying in generative models", section 3).
///
/// In each cell of the training set, a rank test compares the holdout-to-train with the sample-to-train distances. The
/// result is the mean of the z-scores, weighted by the holdout's share of each cell. Below 0, samples are nearer.
package struct DataCopying: Codable, Hashable, Sendable {
    /// The statistic C_T.
    package let zScore: Double
    package let cells: Int

    package init(zScore: Double, cells: Int) {
        (self.zScore, self.cells) = (zScore, cells)
    }
}
