import Evaluation
import Foundation
import Statistics

/// Whether pictures show what was asked, as a classifier reads them that was trained on photographs.
package struct ObedienceFigures: Codable, Hashable, Sendable {
    /// How often the class that is read is the one that was asked for, or that a photograph has.
    package struct Reading: Codable, Hashable, Sendable {
        /// The mean over the classes of the share that is read rightly, and its 95 % interval over patients (of
        /// synthetic pictures, over pictures).
        package let balancedAccuracy: Estimate
        /// Kappa with quadratic weights; nil for classes without an order.
        package let kappa: Double?
        /// The shares of what is read, [asked][read]. A row is empty where nothing was asked, and where photographs
        /// are of fewer than ten patients, whom one could count.
        package let shares: [[Double]]

        init(_ labels: ReadLabels, isOrdinal: Bool) {
            let counts = [labels.groups.count]
            balancedAccuracy = Estimate(
                value: labels.balancedAccuracy,
                Bootstrap.interval(counts) { labels.balancedAccuracy(groups: $0[0]) })
            let agreement = isOrdinal ? quadraticKappa(labels.asked, labels.read) : .nan
            kappa = agreement.isNaN ? nil : agreement
            shares = labels.shares
        }
    }

    package let attribute: String
    package let classes: [String]
    /// Of photographs that were not trained on, and of the synthetic pictures.
    package let photographs, synthetic: Reading

    /// How much larger the mean share that is read rightly is of synthetic pictures than of photographs, with its 95 %
    /// interval.
    package let difference: Estimate

    package init(
        attribute: String, classes: [String], photographs: ReadLabels, synthetic: ReadLabels, isOrdinal: Bool
    ) {
        (self.attribute, self.classes) = (attribute, classes)
        self.photographs = Reading(photographs, isOrdinal: isOrdinal)
        self.synthetic = Reading(synthetic, isOrdinal: isOrdinal)
        let counts = [synthetic.groups.count, photographs.groups.count]
        difference = Estimate(
            value: synthetic.balancedAccuracy - photographs.balancedAccuracy,
            Bootstrap.interval(counts) {
                synthetic.balancedAccuracy(groups: $0[0]) - photographs.balancedAccuracy(groups: $0[1])
            })
    }

    /// One sentence about what the figures say. Pictures that show what was asked are read about as well as
    /// photographs.
    package var sentence: String {
        let chance = 1 / Double(classes.count)
        if photographs.balancedAccuracy.low <= chance {
            return "A classifier cannot read \(attribute) from photographs here, so that it says nothing of samples."
        }
        if synthetic.balancedAccuracy.low <= chance {
            return "The synthetic pictures do not show the \(attribute) that was asked, as far as a classifier sees."
        }
        func points(_ value: Double) -> String { String(format: "%.1f", 100 * value) }
        let figures = """
            \(points(synthetic.balancedAccuracy.value)) % are read rightly, and of photographs \
            \(points(photographs.balancedAccuracy.value)) % (difference \(points(difference.value)) points, 95 % \
            interval \(points(difference.low)) to \(points(difference.high)))
            """
        if difference.high < 0 {
            return """
                The synthetic pictures show the \(attribute) that was asked less clearly than photographs do: \
                \(figures).
                """
        }
        if difference.low > 0 {
            return """
                The synthetic pictures show the \(attribute) that was asked more clearly than photographs do, as a \
                generator does that exaggerates: \(figures).
                """
        }
        return """
            The synthetic pictures show the \(attribute) that was asked. No difference from photographs is shown: \
            \(figures).
            """
    }
}
