import Foundation

extension GreyLevels {
    /// Which levels are neighbours: pyradiomics' class `glcm`, of the symmetric matrix at distance 1, without the
    /// features `MCC` and `SumAverage`. (Haralick et al., "Textural features for image classification", 1973; IBSI
    /// section 3.6.)
    var cooccurrenceFeatures: [NamedFeature] {
        meanOverDirections { step in pairs(step).map(features(ofPairs:)) }
    }

    /// The share of pairs of neighbours with the levels i and j, [highest, highest]; nil without pairs.
    private func pairs(_ step: Int) -> [Double]? {
        var counts = [Int](repeating: 0, count: highest * highest), total = 0
        levels.withUnsafeBufferPointer { levels in
            for place in stride..<levels.count - stride - 1 where levels[place] > 0 && levels[place + step] > 0 {
                counts[(Int(levels[place]) - 1) * highest + Int(levels[place + step]) - 1] += 1
                total += 1
            }
        }
        guard total > 0 else { return nil }
        return counts.indices.map { place in
            Double(counts[place] + counts[place % highest * highest + place / highest]) / Double(2 * total)
        }
    }

    private func features(ofPairs shares: [Double]) -> [NamedFeature] {
        let size = highest
        // The shares of a level, of a sum of levels, and of a difference of levels.
        var single = [Double](repeating: 0, count: size + 1), difference = [Double](repeating: 0, count: size)
        var sum = [Double](repeating: 0, count: 2 * size + 1), autocorrelation = 0.0
        for i in 1...size {
            for j in 1...size {
                let share = shares[(i - 1) * size + j - 1]
                single[i] += share
                sum[i + j] += share
                difference[abs(i - j)] += share
                autocorrelation += share * Double(i * j)
            }
        }
        func mean(_ shares: [Double], _ value: (Double) -> Double) -> Double {
            shares.indices.reduce(0) { $0 + shares[$1] * value(Double($1)) }
        }
        let average = mean(single) { $0 }, variance = mean(single) { ($0 - average) * ($0 - average) }
        let distance = mean(difference) { $0 }, joint = entropy(shares), alone = entropy(single)
        // The entropy of two independent levels; the matrix is symmetric, so that rows and columns have the same.
        let independent = 2 * alone, levels = Double(size)
        return [
            ("Autocorrelation", autocorrelation),
            ("ClusterProminence", mean(sum) { pow($0 - 2 * average, 4) }),
            ("ClusterShade", mean(sum) { pow($0 - 2 * average, 3) }),
            ("ClusterTendency", mean(sum) { pow($0 - 2 * average, 2) }),
            ("Contrast", mean(difference) { $0 * $0 }),
            ("Correlation", variance > 0 ? (autocorrelation - average * average) / variance : 1),
            ("DifferenceAverage", distance), ("DifferenceEntropy", entropy(difference)),
            ("DifferenceVariance", mean(difference) { ($0 - distance) * ($0 - distance) }),
            ("Id", mean(difference) { 1 / (1 + $0) }), ("Idm", mean(difference) { 1 / (1 + $0 * $0) }),
            ("Idmn", mean(difference) { 1 / (1 + $0 * $0 / (levels * levels)) }),
            ("Idn", mean(difference) { 1 / (1 + $0 / levels) }),
            ("Imc1", alone > 0 ? (joint - independent) / alone : 0),
            ("Imc2", max(0, 1 - exp(-2 * (independent - joint))).squareRoot()),
            ("InverseVariance", mean(difference) { $0 > 0 ? 1 / ($0 * $0) : 0 }), ("JointAverage", average),
            ("JointEnergy", shares.reduce(0) { $0 + $1 * $1 }), ("JointEntropy", joint),
            ("MaximumProbability", shares.max() ?? 0), ("SumEntropy", entropy(sum)), ("SumSquares", variance),
        ]
    }
}
