import Foundation
import Statistics

extension GreyLevels {
    /// What the values are, wherever they lie: pyradiomics' class `firstorder`. Entropy and uniformity are those of the
    /// levels. (IBSI reference manual, Zwanenburg et al. 2020, sections 3.3 and 3.4.)
    var firstOrderFeatures: [NamedFeature] {
        let quantile = Quantiles(values), count = Double(values.count), mean = values.mean
        var second = 0.0, third = 0.0, fourth = 0.0, absolute = 0.0, energy = 0.0
        for value in values {
            let difference = value - mean, square = difference * difference
            second += square / count
            third += square * difference / count
            fourth += square * square / count
            absolute += abs(difference) / count
            energy += value * value
        }
        let deviation = second.squareRoot()
        let low = quantile(0.1), high = quantile(0.9)
        let middle = values.filter { $0 >= low && $0 <= high }, middleMean = middle.mean
        var shares = [Double](repeating: 0, count: highest + 1)
        for level in levels where level > 0 { shares[Int(level)] += 1 / count }
        return [
            ("10Percentile", low), ("90Percentile", high), ("Energy", energy), ("Entropy", entropy(shares)),
            ("InterquartileRange", quantile(0.75) - quantile(0.25)),
            ("Kurtosis", second > 0 ? fourth / (second * second) : 0),
            ("Maximum", quantile(1)), ("Mean", mean), ("MeanAbsoluteDeviation", absolute),
            ("Median", quantile(0.5)), ("Minimum", quantile(0)),
            ("Range", quantile(1) - quantile(0)),
            ("RobustMeanAbsoluteDeviation", middle.reduce(0) { $0 + abs($1 - middleMean) } / Double(middle.count)),
            ("RootMeanSquared", (energy / count).squareRoot()),
            ("Skewness", second > 0 ? third / (second * deviation) : 0),
            ("Uniformity", shares.reduce(0) { $0 + $1 * $1 }), ("Variance", second),
        ]
    }
}
