import Foundation

/// A feature of a picture and what pyradiomics calls it.
typealias NamedFeature = (name: String, value: Double)

/// A plane inside a region, in steps of equal width. As in pyradiomics with a `binWidth`, the steps begin at multiples
/// of their width, and the step of the least value is level 1.
struct GreyLevels {
    /// The region's values, from the top left on.
    let values: [Double]
    /// [height + 2, width + 2]: the levels; 0 outside the region, which has a border of one pixel.
    let levels: [Int32]
    /// The length of a line of `levels`.
    let stride: Int
    /// The highest level.
    let highest: Int

    /// - Parameters:
    ///   - plane, isInside: [height, width]; at least two neighbouring pixels are inside.
    init(_ plane: [Double], isInside: [Bool], width: Int, binWidth: Double) {
        let height = plane.count / width, stride = width + 2
        values = plane.indices.filter { isInside[$0] }.map { plane[$0] }
        guard let least = values.min() else { fatalError("GreyLevels: an empty region") }
        let below = (least / binWidth).rounded(.down) - 1
        var levels = [Int32](repeating: 0, count: (height + 2) * stride), highest: Int32 = 0
        for y in 0..<height {
            for x in 0..<width where isInside[y * width + x] {
                let level = Int32((plane[y * width + x] / binWidth).rounded(.down) - below)
                levels[(y + 1) * stride + x + 1] = level
                highest = max(highest, level)
            }
        }
        (self.levels, self.stride, self.highest) = (levels, stride, Int(highest))
    }

    /// The steps from a pixel to its neighbours in the four directions: half of the eight neighbours, as the others
    /// are their opposites.
    var directions: [Int] { [1, stride - 1, stride, stride + 1] }

    /// The mean of features over those directions that have any.
    func meanOverDirections(_ features: (Int) -> [NamedFeature]?) -> [NamedFeature] {
        let all = directions.compactMap(features)
        guard let first = all.first else { fatalError("GreyLevels: no two pixels of the region are neighbours") }
        return first.indices.map { place in
            (first[place].name, all.reduce(0) { $0 + $1[place].value } / Double(all.count))
        }
    }
}

/// The entropy in bits of probabilities that sum to 1.
func entropy(_ probabilities: some Sequence<Double>) -> Double {
    -probabilities.reduce(0) { $1 > 0 ? $0 + $1 * log2($1) : $0 }
}
