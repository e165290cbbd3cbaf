import Evaluation
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

        /// - Parameters:
        ///   - labels: what was asked, or what photographs show.
        ///   - probabilities: what is read, [row][class].
        ///   - patients: the patient of each row; nil for synthetic pictures.
        package init(
            labels: [Int], probabilities: [[Double]], patients: [Int]?, classes: Int, isOrdinal: Bool
        ) {
            let read = probabilities.map(\.indexOfLargest)
            func accuracy(_ rows: [Int]) -> Double {
                let shares = (0..<classes).compactMap { number -> Double? in
                    let own = rows.filter { labels[$0] == number }
                    return own.isEmpty ? nil : Double(own.count { read[$0] == number }) / Double(own.count)
                }
                return shares.reduce(0, +) / Double(shares.count)
            }
            let groups = Dictionary(grouping: labels.indices) { patients?[$0] ?? $0 }.sorted { $0.key < $1.key }.map(
                \.value)
            let interval = Bootstrap.interval([groups.count]) { drawn in accuracy(drawn[0].flatMap { groups[$0] }) }
            balancedAccuracy = Estimate(value: accuracy(Array(labels.indices)), low: interval.low, high: interval.high)
            let agreement = isOrdinal ? quadraticKappa(labels, read) : .nan
            kappa = agreement.isNaN ? nil : agreement
            shares = (0..<classes).map { asked in
                let own = labels.indices.filter { labels[$0] == asked }
                if let patients, Set(own.map { patients[$0] }).count < CellAreas.leastPatients { return [] }
                if own.isEmpty { return [] }
                return (0..<classes).map { number in
                    Double(own.count { read[$0] == number }) / Double(own.count)
                }
            }
        }
    }

    package let attribute: String
    package let classes: [String]
    /// Of photographs that were not trained on, and of the synthetic pictures.
    package let photographs, synthetic: Reading

    package init(attribute: String, classes: [String], photographs: Reading, synthetic: Reading) {
        (self.attribute, self.classes, self.photographs, self.synthetic) = (
            attribute, classes, photographs, synthetic
        )
    }

    /// One sentence about what the figures say. Pictures that show what was asked are read about as well as
    /// photographs.
    package var sentence: String {
        let own = synthetic.balancedAccuracy, real = photographs.balancedAccuracy
        let chance = 1 / Double(classes.count)
        if real.low <= chance {
            return "A classifier cannot read \(attribute) from photographs here, so that it says nothing of samples."
        }
        if own.low <= chance {
            return "The synthetic pictures do not show the \(attribute) that was asked, as far as a classifier sees."
        }
        if own.high < real.low {
            return "The synthetic pictures show the \(attribute) that was asked less clearly than photographs do."
        }
        if own.low > real.high {
            return """
                The synthetic pictures show the \(attribute) that was asked more clearly than photographs do, which a \
                generator does that exaggerates.
                """
        }
        return "The synthetic pictures show the \(attribute) that was asked about as clearly as photographs do."
    }
}
