import Evaluation
import Foundation
import Pictures
import Statistics
import TensorCore
import Verdicts

extension RealismFigures {
    /// Measures how far samples are from photographs.
    package init(samples: PictureSet, train: PictureSet, holdout: PictureSet) {
        let own = PhotographFeatures(samples), photographs = PhotographFeatures(train)
        self.init(
            classifierArea: RealismFigures.classifierArea(own.rows, photographs.rows, patients: train.patients),
            distance: RealismFigures.distance(own, photographs),
            holdoutDistance: RealismFigures.distance(PhotographFeatures(holdout), photographs))
    }

    /// The Fréchet distance of two Gaussians with independent features (Dowson and Landau 1982), each feature divided
    /// by the deviation of photographs: the root of the mean over features of the squared difference of the means plus
    /// the squared difference of the deviations.
    private static func distance(_ pictures: PhotographFeatures, _ photographs: PhotographFeatures) -> Double {
        let squares = photographs.floors.indices.map { feature in
            let a = pictures.rows.map { $0[feature] }, b = photographs.rows.map { $0[feature] }
            let scale = max(b.deviation, photographs.floors[feature])
            return pow((a.mean - b.mean) / scale, 2) + pow((a.deviation - b.deviation) / scale, 2)
        }
        return squares.mean.squareRoot()
    }

    /// The most parts of the cross-validation.
    private static let folds = 5
    /// Added to the diagonal of the covariance of standardised features, so that it can be inverted.
    private static let ridge = 0.1
    /// Standardised features beyond this are cut, so that a single odd picture does not decide.
    private static let cut = 30.0

    /// Fisher's linear discriminant (1936) between samples and photographs, by cross-validation. Photographs of one
    /// patient are always in the same part.
    private static func classifierArea(_ samples: [[Double]], _ photographs: [[Double]], patients: [Int]) -> Double {
        let order = Array(Set(patients)).sorted(), place = Dictionary(uniqueKeysWithValues: zip(order, order.indices))
        let folds = min(folds, order.count, samples.count)
        guard folds > 1 else { return 1 }
        let width = photographs[0].count
        let means = (0..<width).map { f in photographs.map { $0[f] }.mean }
        let scales = (0..<width).map { f in photographs.map { $0[f] }.deviation + 1e-3 }
        func standardised(_ row: [Double]) -> [Double] {
            row.indices.map { min(cut, max(-cut, (row[$0] - means[$0]) / scales[$0])) }
        }
        let a = samples.map(standardised), b = photographs.map(standardised)
        let foldOfSample = a.indices.map { $0 % folds }, foldOfPhotograph = patients.map { place[$0]! % folds }
        var scores = ([Double](repeating: 0, count: a.count), [Double](repeating: 0, count: b.count))
        for fold in 0..<folds {
            let direction = discriminant(
                a.indices.filter { foldOfSample[$0] != fold }.map { a[$0] },
                b.indices.filter { foldOfPhotograph[$0] != fold }.map { b[$0] })
            func score(_ row: [Double]) -> Double { zip(row, direction).reduce(0) { $0 + $1.0 * $1.1 } }
            for i in a.indices where foldOfSample[i] == fold { scores.0[i] = score(a[i]) }
            for i in b.indices where foldOfPhotograph[i] == fold { scores.1[i] = score(b[i]) }
        }
        return RankTest.areaUnderCurve(scores.0, above: scores.1)
    }

    /// The direction that separates the means of two groups best, relative to their mean covariance.
    private static func discriminant(_ a: [[Double]], _ b: [[Double]]) -> [Double] {
        let width = a[0].count
        func mean(_ rows: [[Double]]) -> [Double] { (0..<width).map { f in rows.map { $0[f] }.mean } }
        let meanA = mean(a), meanB = mean(b)
        var covariance = [Double](repeating: 0, count: width * width)
        for (rows, mean) in [(a, meanA), (b, meanB)] {
            for row in rows {
                for i in 0..<width {
                    for j in 0..<width {
                        covariance[i * width + j] += (row[i] - mean[i]) * (row[j] - mean[j]) / Double(2 * rows.count)
                    }
                }
            }
        }
        for i in 0..<width { covariance[i * width + i] += ridge }
        let eigen = symmetricEigen(covariance, size: width), difference = zip(meanA, meanB).map { $0 - $1 }
        var direction = [Double](repeating: 0, count: width)
        for (k, value) in eigen.values.enumerated() {
            let vector = eigen.vectors[k * width..<(k + 1) * width]
            let share = zip(vector, difference).reduce(0) { $0 + $1.0 * $1.1 } / value
            for (i, element) in vector.enumerated() { direction[i] += share * element }
        }
        return direction
    }
}
