import Statistics

/// What the membership attack found.
package struct MembershipResult: Codable, Hashable, Sendable {
    /// A 95 % interval.
    package struct Interval: Codable, Hashable, Sendable {
        package var low: Double
        package var high: Double

        package func contains(_ value: Double) -> Bool { low <= value && value <= high }
    }

    /// The area under a ROC curve with its interval.
    package struct Area: Codable, Hashable, Sendable {
        package var value: Double
        package var interval: Interval

        package init?(_ curve: RocCurve, resamples: Int, seed: UInt64) {
            guard let found = curve.areaInterval(resamples: resamples, seed: seed) else { return nil }
            value = curve.area
            interval = Interval(low: found.lowerBound, high: found.upperBound)
        }
    }

    /// The share of members that are found at a given share of false positives.
    package struct Rate: Codable, Hashable, Sendable {
        package var falsePositiveRate: Double
        /// The share of members found; nil where there are too few non-members.
        package var truePositiveRate: Double?
        /// How many non-members would be needed; nil where there are enough.
        package var needs: Int?

        package init(_ curve: RocCurve, at rate: Double) {
            falsePositiveRate = rate
            truePositiveRate = curve.truePositiveRate(atFalsePositiveRate: rate)
            needs = truePositiveRate == nil ? RocCurve.nonMembersNeeded(rate) : nil
        }

        /// The share in percent, or how many others it takes to know it.
        package var text: String {
            truePositiveRate.map { "\(($0 * 1000).rounded() / 10) %" } ?? "not known (takes \(needs ?? 0) others)"
        }
    }

    /// What one statistic tells about membership.
    package struct Statistic: Codable, Hashable, Sendable {
        package var area: Area
        /// The area for every other non-member against the remaining non-members. 0.5 should lie in its interval: the
        /// statistic should not tell groups apart that both lack membership.
        package var nonMembersAgainstNonMembers: Area?
        package var rates: [Rate]
        /// The membership advantage, which is optimistic (see `RocCurve.advantage`).
        package var membershipAdvantage: Double
        package var curve: [RocCurve.Point]

        package static let falsePositiveRates = [0.1, 0.01, 0.001]

        /// The result is nil where a group is empty.
        package init?(members: [Double], nonMembers: [Double], resamples: Int, seed: UInt64) {
            let curve = RocCurve(members: members, nonMembers: nonMembers)
            guard let area = Area(curve, resamples: resamples, seed: seed) else { return nil }
            self.area = area
            let even = nonMembers.indices.filter { $0 % 2 == 0 }.map { nonMembers[$0] }
            let odd = nonMembers.indices.filter { $0 % 2 == 1 }.map { nonMembers[$0] }
            nonMembersAgainstNonMembers = Area(
                RocCurve(members: even, nonMembers: odd), resamples: resamples, seed: seed)
            rates = Statistic.falsePositiveRates.map { Rate(curve, at: $0) }
            membershipAdvantage = curve.advantage
            self.curve = curve.points
        }
    }

    package var configuration: MembershipConfiguration
    /// The noise levels of the loss statistic.
    package var sigmas: [Float]
    /// The noise level of the single query.
    package var singleSigma: Float
    /// The number of patients who are members.
    package var members: Int
    /// The number of patients who are not members.
    package var nonMembers: Int
    /// How many evaluations of networks the attack took.
    package var evaluations: Int
    /// The statistic that is the mean over noise levels of the z-score of the logarithmic loss.
    package var loss: Statistic
    /// The statistic of one noise at one level, which are fixed beforehand.
    package var singleQuery: Statistic
    /// The same as `loss`, for the difference from a reference model's logarithmic loss; nil without a reference model.
    package var likelihoodRatio: Statistic?

    package init(
        configuration: MembershipConfiguration, sigmas: [Float], singleSigma: Float, members: Int, nonMembers: Int,
        evaluations: Int, loss: Statistic, singleQuery: Statistic, likelihoodRatio: Statistic? = nil
    ) {
        self.configuration = configuration
        self.sigmas = sigmas
        self.singleSigma = singleSigma
        self.members = members
        self.nonMembers = nonMembers
        self.evaluations = evaluations
        self.loss = loss
        self.singleQuery = singleQuery
        self.likelihoodRatio = likelihoodRatio
    }
}

/// The scores of single patients, higher for members. They never leave the site.
package struct MembershipScores: Codable, Hashable, Sendable {
    package var loss: [Double]
    package var singleQuery: [Double]
    package var likelihoodRatio: [Double]?

    package init(loss: [Double], singleQuery: [Double], likelihoodRatio: [Double]? = nil) {
        self.loss = loss
        self.singleQuery = singleQuery
        self.likelihoodRatio = likelihoodRatio
    }
}
