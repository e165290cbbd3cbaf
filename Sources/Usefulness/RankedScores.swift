/// Scores of cases and controls in their order, so that areas under the ROC curve for many resamples of the patients
/// cost no sorting.
package struct RankedScores {
    /// Rows from the lowest score to the highest, in groups of equal scores.
    private let order: [Int]
    private let groupEnds: [Int]
    private let isCase: [Bool]

    /// - Parameters:
    ///   - scores: higher for cases; one for each row.
    ///   - isCase: whether each row is a case.
    package init(_ scores: [Double], isCase: [Bool]) {
        guard scores.count == isCase.count else {
            fatalError("RankedScores: \(scores.count) scores and \(isCase.count) rows")
        }
        let order = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
        groupEnds = order.indices.filter { $0 + 1 == order.count || scores[order[$0]] != scores[order[$0 + 1]] }
            .map { $0 + 1 }
        (self.order, self.isCase) = (order, isCase)
    }

    /// The weighted share of pairs in which the case's score is the higher one, ties counted half (Mann and Whitney
    /// 1947). NaN where cases or controls have no weight.
    /// - Parameter weights: how often each row counts.
    package func area(_ weights: [Double]) -> Double {
        var cases = 0.0, controls = 0.0, pairs = 0.0, start = 0
        for end in groupEnds {
            var ownCases = 0.0, ownControls = 0.0
            for place in start..<end {
                let row = order[place]
                if isCase[row] { ownCases += weights[row] } else { ownControls += weights[row] }
            }
            pairs += ownCases * (controls + ownControls / 2)
            cases += ownCases
            controls += ownControls
            start = end
        }
        return pairs / (cases * controls)
    }
}
