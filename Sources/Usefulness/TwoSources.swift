import Foundation
import Statistics

/// The mean of a figure over trainings, which is uncertain for two reasons: other patients and other trainings would
/// have given another one.
///
/// The variance is the sum of both. That of the patients is the variance over resamples of patients; that of the
/// trainings is their sample variance divided by their number. Few trainings are known to vary by what they show only
/// roughly, so the interval is Student's, with the degrees of freedom of Satterthwaite (Biometrics Bulletin 2, 1946). A
/// bootstrap of three to five trainings would be too narrow.
struct TwoSources {
    let value: Double
    private let ofPatients: Double, ofTrainings: Double, freedom: Double

    /// - Parameters:
    ///   - trainings: the figure of each training, of all patients; at least two.
    ///   - resamples: the mean over the trainings for each resample of the patients. Those that are NaN do not count.
    ///   - patients: the number of patients, at least two.
    init(trainings: [Double], resamples: [Double], patients: Int) {
        func variance(_ numbers: [Double]) -> Double {
            let mean = numbers.reduce(0, +) / Double(numbers.count)
            return numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, numbers.count - 1))
        }
        value = trainings.reduce(0, +) / Double(trainings.count)
        ofPatients = variance(resamples.filter { !$0.isNaN })
        ofTrainings = variance(trainings) / Double(trainings.count)
        let squares =
            ofPatients * ofPatients / Double(patients - 1) + ofTrainings * ofTrainings / Double(trainings.count - 1)
        freedom = squares > 0 ? (ofPatients + ofTrainings) * (ofPatients + ofTrainings) / squares : .infinity
    }

    private var deviation: Double { (ofPatients + ofTrainings).squareRoot() }

    /// Half the width of the 95 % interval.
    private var half: Double {
        deviation > 0 ? StudentDistribution.quantile(0.975, freedom: freedom) * deviation : 0
    }

    /// The value with its 95 % interval.
    var estimate: Estimate { Estimate(value: value, low: value - half, high: value + half) }

    /// The same of a value from 0 to 1. The interval is that of the logit, so that it does not leave this range.
    var estimateOfShare: Estimate {
        let slope = value * (1 - value)
        guard slope > 0 else { return Estimate(value: value, low: value, high: value) }
        func moved(by distance: Double) -> Double { 1 / (1 + exp(-log(value / (1 - value)) - distance)) }
        return Estimate(value: value, low: moved(by: -half / slope), high: moved(by: half / slope))
    }

    /// How probable a value so far from 0 is where the truth is 0.
    var probability: Double {
        if deviation == 0 { return value == 0 ? 1 : 0 }
        return min(1, 2 * StudentDistribution.upperTail(abs(value) / deviation, freedom: freedom))
    }

    /// The share of the variance that more trainings would make smaller.
    var shareOfTrainings: Double { deviation > 0 ? ofTrainings / (ofPatients + ofTrainings) : 0 }
}
