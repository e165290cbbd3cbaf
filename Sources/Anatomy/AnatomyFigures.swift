import Statistics

/// The anatomy of synthetic pictures beside that of photographs, in all pictures or in those of one cohort.
package struct AnatomyFigures: Codable, Hashable, Sendable {
    /// How the values of one group lie.
    package struct Spread: Codable, Hashable, Sendable {
        /// The share of the pictures in which the measure was possible.
        package let measured: Double
        /// The quartiles; nil where it was possible in fewer than ten.
        package let low, median, high: Double?

        fileprivate init(_ values: [Double?]) {
            let known = values.compactMap(\.self).sorted()
            measured = Double(known.count) / Double(max(1, values.count))
            let isEnough = known.count >= AnatomyFigures.leastPictures
            (low, median, high) =
                isEnough ? (quantile(known, 0.25), quantile(known, 0.5), quantile(known, 0.75)) : (nil, nil, nil)
        }
    }

    package struct Comparison: Codable, Hashable, Sendable {
        package let measure: AnatomyMeasure
        package let photographs, synthetic: Spread
        /// How often a synthetic picture has the larger value than a photograph, ties counted half: 0.5 where both are
        /// alike. The 95 % interval is a bootstrap by patient. Nil where either was measured in fewer than ten.
        package let larger: Estimate?
    }

    /// The cohort, such as `dr_icdr 4`; nil for all pictures.
    package let cohort: String?
    package let comparisons: [Comparison]

    fileprivate static let leastPictures = 10
    private static let resamples = 500

    /// Nil where either group has fewer than ten pictures.
    /// - Parameters:
    ///   - patients: the patient of each photograph.
    package init?(
        cohort: String?, photographs: [EyeAnatomy], patients: [Int], synthetic: [EyeAnatomy], seed: UInt64
    ) {
        guard min(photographs.count, synthetic.count) >= AnatomyFigures.leastPictures else { return nil }
        self.cohort = cohort
        let people = Dictionary(grouping: photographs.indices) { patients[$0] }.sorted { $0.key < $1.key }
            .map(\.value)
        comparisons = AnatomyMeasure.allCases.compactMap { measure in
            let own = photographs.map { $0[measure] }, others = synthetic.map { $0[measure] }
            if (own + others).allSatisfy({ $0 == nil }) { return nil }
            let real = Spread(own), drawn = Spread(others)
            var larger: Estimate?
            if real.median != nil, drawn.median != nil {
                let interval = Bootstrap.interval(
                    [people.count, others.count], resamples: AnatomyFigures.resamples, seed: seed
                ) { drawn in
                    RankTest.areaUnderCurve(
                        drawn[1].compactMap { others[$0] },
                        above: drawn[0].flatMap { people[$0] }.compactMap { own[$0] })
                }
                larger = Estimate(
                    value: RankTest.areaUnderCurve(others.compactMap(\.self), above: own.compactMap(\.self)),
                    low: interval.low, high: interval.high)
            }
            return Comparison(measure: measure, photographs: real, synthetic: drawn, larger: larger)
        }
    }
}
