import CheckpointStore
import SampleStore
import Figures
import Statistics

/// What an audit tells scripts and terminals.
package struct AuditSummary: Sendable {
    package struct Test: Encodable, Sendable {
        let value: Double
        /// The lower and the upper end.
        let interval: [Double]
        let limit: Double
    }

    package let tests: [String: Test]
    package let lines: [String]

    package init(_ audit: PublicAudit) {
        let figures = audit.figures, policy = figures.policy
        var tests: [String: Test] = [:], lines: [String] = []
        for test in figures.copies {
            tests[test.name.rawValue] = Test(
                value: test.samples.value, interval: [test.samples.lowerBound(), test.samplesUpperBound],
                limit: policy.largestCopyRate)
            tests["\(test.name.rawValue)-power"] = Test(
                value: test.recall, interval: [test.recall, test.recall], limit: policy.leastPower)
            lines.append(
                """
                \(test.name.title): \(test.samples.hits) of \(test.samples.count) samples above \
                \(rounded(test.threshold)), \(test.holdout.hits) of \(test.holdout.count) photographs of others; \
                finds \(percent(test.recall)) of planted copies
                """
            )
        }
        tests["flagged"] = Test(
            value: figures.flagged.samples.value,
            interval: [figures.flagged.samples.lowerBound(), figures.flagged.samplesUpperBound],
            limit: policy.largestCopyRate)
        let copying = figures.distances.dataCopying.zScore
        tests["data-copying"] = Test(value: copying, interval: [copying, copying], limit: policy.dataCopyingAlarm)
        for (name, measure) in [
            ("authenticity", figures.distances.authenticity), ("nndr", figures.distances.nearestNeighborDistanceRatio),
            ("dcr", figures.distances.distanceToClosestRecord),
            ("adversarial-accuracy", figures.distances.adversarialAccuracy),
        ] {
            tests[name] = Test(
                value: measure.difference.value, interval: [measure.difference.low, measure.difference.high], limit: 0)
        }
        if let membership = figures.membership {
            for (name, statistic) in [
                ("membership", membership.loss), ("membership-single-query", membership.singleQuery),
            ] + (membership.likelihoodRatio.map { [("membership-likelihood-ratio", $0)] } ?? []) {
                tests[name] = Test(
                    value: statistic.area.value, interval: [statistic.area.interval.low, statistic.area.interval.high],
                    limit: policy.largestMembershipAUC)
            }
            lines.append(
                """
                membership: AUC \(rounded(membership.loss.area.value)) (\(rounded(membership.loss.area.interval.low)) \
                to \(rounded(membership.loss.area.interval.high))) of \(membership.members) members against \
                \(membership.nonMembers) others
                """
            )
        }
        if let found = figures.canaries?.result {
            tests["canaries"] = Test(
                value: found.area.value, interval: [found.area.interval.low, found.area.interval.high], limit: 0.5)
            lines.append(
                """
                canaries: AUC \(rounded(found.area.value)) (\(rounded(found.area.interval.low)) to \
                \(rounded(found.area.interval.high))) of \(found.canaries.included) of \
                \(found.canaries.count)\(found.epsilon.map { ", epsilon at least \(rounded($0))" } ?? "")
                """
            )
        }
        if let control = figures.control {
            lines.append(
                """
                positive control: caught by \
                \(control.caught.isEmpty ? "no test" : control.caught.map(\.title).joined(separator: ", "))
                """
            )
        }
        self.tests = tests
        self.lines = lines
    }
}
