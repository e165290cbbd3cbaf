import Randomness
import Statistics

/// How well logistic regression tells pictures of two groups apart that it was not fitted to.
package struct CrossValidatedClassifier: Sendable {
    /// The logarithm of the odds that a row is of the second group, from the classifier of its fold.
    package let scores: [Double]
    private let isSecond: [Bool], folds: [Int]

    /// The penalty (scikit-learn's `C`) of the figures. It is fixed, so that nothing is chosen by the result. There
    /// are often more features than pictures, where a strong penalty serves best.
    static let strength = 0.01
    /// The number of folds of the figures.
    private static let foldCount = 5
    /// Features beyond this many deviations of the fold's training rows are cut.
    private static let cut = 10.0

    /// Features are standardised by the rows that a classifier is fitted to. Each row is scored by the classifier that
    /// was fitted to all other folds.
    /// - Parameter folds: the fold of each row, from 0 on.
    package init(_ rows: FeatureRows, isSecond: [Bool], folds: [Int], strength: Double) {
        var scores = [Double](repeating: 0, count: rows.count)
        for fold in Set(folds).sorted() {
            let train = folds.indices.filter { folds[$0] != fold }, test = folds.indices.filter { folds[$0] == fold }
            let known = rows.selecting(train), scale = Standardisation(known, constants: .keptAsTheyAre)
            let line = LogisticRegression(
                scale.applied(to: known, cut: Self.cut), isPositive: train.map { isSecond[$0] }, strength: strength)
            let others = scale.applied(to: rows.selecting(test), cut: Self.cut)
            for (place, row) in test.enumerated() { scores[row] = line.score(others, place) }
        }
        (self.scores, self.isSecond, self.folds) = (scores, isSecond, folds)
    }

    /// - Parameter groups: for each row, what it shares with others that must be in the same fold, such as its patient.
    init(first: FeatureRows, groups: [Int], second: FeatureRows, secondGroups: [Int], seed: UInt64, round: Int) {
        var random = Philox(seed: seed, stream: .evaluationHalves, index: UInt64(round))
        let folds = [groups, secondGroups].flatMap { groups in
            let order = Array(Set(groups)).sorted(), places = random.permutation(order.count)
            let fold = Dictionary(
                uniqueKeysWithValues: zip(places, order.indices).map { (order[$0], $1 % Self.foldCount) })
            return groups.compactMap { fold[$0] }
        }
        self.init(
            first.appending(second), isSecond: folds.indices.map { $0 >= first.count }, folds: folds,
            strength: Self.strength)
    }

    /// The area under the ROC curve over pairs of rows of the same fold, which one classifier has scored. It is 1 where
    /// all are told apart, and 0.5 by chance or where no fold has rows of both groups.
    package var area: Double { area(Array(scores.indices)) }

    /// The area for these rows, which may stand there more than once.
    private func area(_ rows: [Int]) -> Double {
        var sum = 0.0, pairs = 0.0
        for (_, rows) in Dictionary(grouping: rows, by: { folds[$0] }).sorted(by: { $0.key < $1.key }) {
            let first = rows.filter { !isSecond[$0] }.map { scores[$0] }
            let second = rows.filter { isSecond[$0] }.map { scores[$0] }
            if first.isEmpty || second.isEmpty { continue }
            let count = Double(first.count * second.count)
            sum += count * RankTest.areaUnderCurve(second, above: first)
            pairs += count
        }
        return pairs > 0 ? sum / pairs : 0.5
    }

    /// The area with its 95 % interval over groups; the classifiers stay as they are.
    /// - Parameter groups: the group of each row, such as its patient; those of the two groups differ.
    func estimate(groups: [Int], seed: UInt64) -> Estimate {
        let byGroup = Dictionary(grouping: groups.indices) { groups[$0] }.sorted { $0.key < $1.key }.map(\.value)
        let first = byGroup.filter { !isSecond[$0[0]] }, second = byGroup.filter { isSecond[$0[0]] }
        let interval = Bootstrap.interval([first.count, second.count], seed: seed) { drawn in
            area(drawn[0].flatMap { first[$0] } + drawn[1].flatMap { second[$0] })
        }
        return Estimate(value: area, low: interval.low, high: interval.high)
    }
}
