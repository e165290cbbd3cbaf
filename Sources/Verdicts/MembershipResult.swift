import Statistics

/// What the membership attack found.
package struct MembershipResult: Codable, Hashable, Sendable {
    /// An interval of 95 %.
    package struct Interval: Codable, Hashable, Sendable {
        package var low: Double
        package var high: Double

        package func contains(_ value: Double) -> Bool { low <= value && value <= high }
    }

    /// An area with its interval.
    package struct Area: Codable, Hashable, Sendable {
        package var value: Double
        package var interval: Interval

        package init?(_ curve: RocCurve, resamples: Int, seed: UInt64) {
            guard let found = curve.areaInterval(resamples: resamples, seed: seed) else { return nil }
            value = curve.area
            interval = Interval(low: found.lowerBound, high: found.upperBound)
        }
    }

    /// The share of members found at a share of non-members.
    package struct Rate: Codable, Hashable, Sendable {
        package var falsePositiveRate: Double
        /// Nil where there are too few non-members,
        package var truePositiveRate: Double?
        /// of whom so many would be needed.
        package var needs: Int?

        package init(_ curve: RocCurve, at rate: Double) {
            falsePositiveRate = rate
            truePositiveRate = curve.truePositiveRate(atFalsePositiveRate: rate)
            needs = truePositiveRate == nil ? RocCurve.nonMembersNeeded(rate) : nil
        }

        /// For people: a share in percent, or "needs n".
        package var text: String { truePositiveRate.map { "\(($0 * 1000).rounded() / 10) %" } ?? "needs \(needs ?? 0)" }
    }

    /// What one statistic tells.
    package struct Statistic: Codable, Hashable, Sendable {
        package var area: Area
        /// Every other non-member against the rest: 0.5 must lie in the interval, or the two groups differ by more than
        /// membership.
        package var nonMembersAgainstNonMembers: Area?
        package var rates: [Rate]
        /// Optimistic: see `RocCurve.advantage`.
        package var membershipAdvantage: Double
        package var curve: [RocCurve.Point]

        package static let falsePositiveRates = [0.1, 0.01, 0.001]

        /// - Returns: nil where a group is empty.
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
    /// Noise levels of the loss statistic, and that of the single query.
    package var sigmas: [Float]
    package var singleSigma: Float
    /// Patients.
    package var members: Int
    package var nonMembers: Int
    /// Evaluations of networks that it took.
    package var evaluations: Int
    /// Mean over noise levels of the z-score of the logarithmic loss.
    package var loss: Statistic
    /// One noise at one level, decided beforehand.
    package var singleQuery: Statistic
    /// The same mean over the difference from a reference model's logarithmic loss; nil without a reference.
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

/// Scores of patients, higher for members: they never leave the site.
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
