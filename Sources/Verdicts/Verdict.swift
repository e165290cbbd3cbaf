import SampleStore
import Figures
import Statistics

/// What follows from the figures of an audit under its policy. It depends on these two alone, and `release` computes it
/// again.
package struct Verdict: Codable, Hashable, Sendable {
    package enum Outcome: String, Codable, Sendable {
        case pass, fail
        /// Nothing was found, but the tests have not shown that they would have found something.
        case noPower = "no-power"
    }

    package let outcome: Outcome
    /// The reasons, one sentence each. Those of a pass say what the pass rests on.
    package let reasons: [String]

    /// - Parameter version: that of the audit's format. Audits of version 1 did not ask whether samples are
    ///   photographs, and had power without membership.
    package init(_ figures: AuditFigures, version: Int = PublicAudit.version) {
        let failures = Verdict.failures(figures)
        let powerless = (version > 1 ? Verdict.lacksSinceVersion2(figures) : []) + Verdict.lacksOfPower(figures)
        if !failures.isEmpty {
            outcome = .fail
            reasons = failures
        } else if !powerless.isEmpty {
            outcome = .noPower
            reasons = powerless
        } else {
            outcome = .pass
            reasons = [
                """
                \(figures.flagged.samples.hits) of \(figures.flagged.samples.count) samples are flagged, so at most \
                \(percent(figures.flagged.samplesUpperBound)) are copies with 95 % confidence (limit \
                \(percent(figures.policy.largestCopyRate)))
                """
            ]
        }
    }

    /// The comparisons are written so that NaN fails.
    private static func failures(_ figures: AuditFigures) -> [String] {
        let policy = figures.policy, flagged = figures.flagged
        var failures: [String] = []
        if flagged.confirmed > 0 {
            failures.append(
                """
                \(flagged.confirmed) of \(flagged.samples.count) samples are confirmed copies: two tests find the \
                same training patient in them
                """
            )
        }
        for test in figures.copies where !(test.excessLowerBound <= 0) {
            failures.append(
                """
                \(test.name.title): \(test.samples.hits) of \(test.samples.count) samples match a training patient, \
                \(test.holdout.hits) of \(test.holdout.count) photographs of others do; the samples match more often \
                beyond doubt
                """
            )
        }
        if !(flagged.excessLowerBound <= 0), !failures.contains(where: { $0.contains("more often beyond doubt") }) {
            failures.append(
                """
                \(flagged.samples.hits) of \(flagged.samples.count) samples are flagged by some test, \
                \(flagged.holdout.hits) of \(flagged.holdout.count) photographs of others are
                """
            )
        }
        if !(flagged.samplesUpperBound <= policy.largestCopyRate), flagged.samples.hits != 0 {
            failures.append(
                """
                \(flagged.samples.hits) of \(flagged.samples.count) samples are flagged: up to \
                \(percent(flagged.samplesUpperBound)) could be copies, and the limit is \
                \(percent(policy.largestCopyRate))
                """
            )
        }
        for cell in figures.cells where !(cell.samplesLowerBound <= policy.largestCopyRate) {
            failures.append(
                """
                \(cell.attribute) \(cell.value): \(cell.samples.hits) of \(cell.samples.count) samples are flagged, \
                beyond doubt more than \(percent(policy.largestCopyRate))
                """
            )
        }
        if policy.dataCopyingFails, !(figures.distances.dataCopying.zScore >= policy.dataCopyingAlarm) {
            failures.append(
                """
                samples lie nearer to the training photographs than photographs of others do: C_T is \
                \(rounded(figures.distances.dataCopying.zScore)), and the alarm is at \
                \(rounded(policy.dataCopyingAlarm))
                """
            )
        }
        if let membership = figures.membership {
            for (what, statistic) in [("the loss", membership.loss), ("the single query", membership.singleQuery)]
                + (membership.likelihoodRatio.map { [("the likelihood ratio", $0)] } ?? [])
            where !(statistic.area.interval.low <= policy.largestMembershipAUC) {
                failures.append(
                    """
                    the model tells who was in its training: \(what) separates \(membership.members) members from \
                    \(membership.nonMembers) others with an AUC of \(rounded(statistic.area.value)) (limit \
                    \(rounded(policy.largestMembershipAUC)))
                    """
                )
            }
        }
        return failures
    }

    /// Whether the classifier and the distance together say that the samples are not photographs. The comparison is
    /// written so that NaN counts as such.
    package static func areNoPhotographs(_ realism: RealismFigures, _ policy: AuditPolicy) -> Bool {
        !(realism.classifierArea < policy.photographClassifierArea
            || realism.distance <= policy.largestPhotographDistance)
    }

    private static func lacksSinceVersion2(_ figures: AuditFigures) -> [String] {
        var lacks: [String] = []
        let policy = figures.policy
        if let realism = figures.realism {
            if areNoPhotographs(realism, policy) {
                lacks.append(
                    """
                    the samples are not photographs, so there is nothing to release: they are \
                    \(rounded(realism.distance)) deviations away from photographs (limit \
                    \(rounded(policy.largestPhotographDistance)); photographs of others are \
                    \(rounded(realism.holdoutDistance)) away)
                    """)
            }
        } else {
            lacks.append("nobody measured whether the samples are photographs")
        }
        if figures.training.inLineage == .no {
            lacks.append(
                """
                the samples' models did not learn from these photographs, so copies of those that they did learn from \
                could not be found
                """)
        }
        if figures.membership == nil, policy.membershipLeftOut.isEmpty {
            lacks.append(
                """
                membership was not tested, because the model was not given; the policy gives no reason for leaving it \
                out
                """)
        }
        return lacks
    }

    private static func lacksOfPower(_ figures: AuditFigures) -> [String] {
        var lacks: [String] = []
        if !(figures.flagged.samplesUpperBound <= figures.policy.largestCopyRate) {
            lacks.append(
                """
                \(figures.samples.count) samples are too few: none is flagged, and up to \
                \(percent(figures.flagged.samplesUpperBound)) could still be copies (limit \
                \(percent(figures.policy.largestCopyRate)))
                """
            )
        }
        for name in [CopyTestName.features, .retina] {
            guard let test = figures.copies.first(where: { $0.name == name }) else {
                lacks.append("\(name.title) was not tested")
                continue
            }
            if !(test.recall >= figures.policy.leastPower) {
                lacks.append(
                    """
                    \(name.title) finds \(percent(test.recall)) of planted copies at \(figures.samples.size) pixels, \
                    and \(percent(figures.policy.leastPower)) are needed
                    """
                )
            }
        }
        guard let control = figures.control else {
            return lacks + [
                """
                no positive control was run: nothing shows that these tests would have found copies (--positive-control)
                """
            ]
        }
        let missed = [CopyTestName.features, .retina].filter { !control.caught.contains($0) }
        if !missed.isEmpty {
            lacks.append("the overfitted control was not caught by \(missed.map(\.title).joined(separator: " and "))")
        }
        return lacks
    }
}

extension AuditFigures.Copies {
    /// The mean recall over the disguises flip, rotation, recolouring, crop and half-blend. A plain copy is left out
    /// because it is not disguised, and a recompressed copy because it hardly is.
    package var recall: Double {
        let rates = power.filter { $0.key != Disguise.plain.rawValue && $0.key != Disguise.recompression.rawValue }
            .values.map(\.value)
        return rates.isEmpty ? 0 : rates.reduce(0, +) / Double(rates.count)
    }
}
