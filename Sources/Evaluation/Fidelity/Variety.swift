import Foundation
import Statistics
import TensorCore

/// How many different pictures a set seems to hold: the Vendi score (Friedman and Dieng 2023, equation 2), the
/// exponential of the entropy of the eigenvalues of the pictures' similarities over their number. It is 1 where all are
/// alike and the number of rows where no two are alike. Similarity is the cosine of the features.
package func vendiScore(_ rows: FeatureRows) -> Double {
    let units = FeatureRows(
        (0..<rows.count).map { row in
            let length = rows.product(row, with: rows, row).squareRoot()
            return rows[row].map { length > 0 ? $0 / length : 0 }
        })
    let similarities = units.mapRows { row in (0..<units.count).map { units.product(row, with: units, $0) } }
    let shares = symmetricEigen(similarities.flatMap(\.self), size: units.count).values.map { $0 / Double(units.count) }
    return exp(-shares.reduce(0) { $1 > 0 ? $0 + $1 * log($1) : $0 })
}

/// The share of photographs whose nearest picture, among those of other patients and as many others, is one of the
/// others: about a half where others are as photographs are. Near 0 they lie elsewhere; near 1 they crowd around the
/// photographs, as copies do. (The 1-nearest-neighbour test of Lopez-Paz and Oquab 2017, for the photographs alone.)
/// - Parameter patients: the patient of each photograph.
func shareWithNearestAmong(_ others: FeatureRows, photographs: FeatureRows, patients: [Int]) -> Double {
    let shares = photographs.map { row in
        let own =
            (0..<photographs.count).lazy.filter { patients[$0] != patients[row] }.map {
                photographs.squaredDistance(row, to: photographs, $0)
            }.min() ?? .infinity
        let other = (0..<others.count).lazy.map { photographs.squaredDistance(row, to: others, $0) }.min() ?? .infinity
        return other < own ? 1 : other == own ? 0.5 : 0
    }
    return shares.mean
}
