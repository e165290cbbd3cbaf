import Statistics

/// Distances between whole sets: each measure taken with the training photographs and with as many of the holdout, and
/// the difference. A model that has kept nothing of single patients is as near to those it never saw; what a model's
/// style or blur does to a distance is the same on both sides.
package struct DistanceFigures: Codable, Hashable, Sendable {
    package struct Measure: Codable, Hashable, Sendable {
        /// With training photographs, with holdout photographs, and the first minus the second with its 95 % interval.
        package let train: Double
        package let holdout: Double
        package let difference: Estimate

        package init(train: Double, holdout: Double, difference: Estimate) {
            (self.train, self.holdout, self.difference) = (train, holdout, difference)
        }
    }

    package let dataCopying: DataCopying
    /// Share of samples that lie farther from their nearest photograph than that lies from its own nearest neighbour
    /// (Alaa et al. 2022, "How faithful is your synthetic data?", section 4.3).
    package let authenticity: Measure
    /// Median ratio of the distances to the nearest and to the second nearest photograph.
    package let nearestNeighborDistanceRatio: Measure
    /// 5th percentile of the distance to the closest record.
    package let distanceToClosestRecord: Measure
    /// Nearest-neighbour adversarial accuracy (Yale et al. 2020): 0.5 where samples and photographs cannot be told
    /// apart. The difference is the privacy loss with its sign turned: negative where the training photographs are
    /// matched better than others.
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
/// 2020, "A non-parametric test to detect data-copying in generative models", section 3): the z-score of the rank test
/// between holdout-to-train and sample-to-train distances, in cells of the training set, averaged by the holdout's
/// share of each. Below 0 samples are nearer.
package struct DataCopying: Codable, Hashable, Sendable {
    /// C_T.
    package let zScore: Double
    package let cells: Int

    package init(zScore: Double, cells: Int) {
        (self.zScore, self.cells) = (zScore, cells)
    }
}
