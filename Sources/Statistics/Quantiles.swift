/// Quantiles of numbers without sorting them. Each number belongs to one of many equal parts of their range, and only
/// the part of a quantile is sorted.
package struct Quantiles {
    private static let parts = 4096
    private let values: [Double], partOf: PartOf
    /// How many numbers lie in the parts before each part.
    private let starts: [Int]

    private struct PartOf {
        let least: Double, scale: Double

        func callAsFunction(_ value: Double) -> Int { Int((value - least) * scale) }
    }

    /// - Parameter values: finite, not empty.
    package init(_ values: [Double]) {
        guard let least = values.min(), let most = values.max() else { fatalError("Quantiles: no numbers") }
        let scale = Double(Self.parts - 1) / (most - least)
        let partOf = PartOf(least: least, scale: scale.isFinite ? scale : 0)
        var starts = [Int](repeating: 0, count: Self.parts + 1)
        for value in values { starts[partOf(value) + 1] += 1 }
        for part in 0..<Self.parts { starts[part + 1] += starts[part] }
        (self.values, self.partOf, self.starts) = (values, partOf, starts)
    }

    /// What `quantile` gives of the sorted numbers.
    package func callAsFunction(_ share: Double) -> Double {
        let place = share * Double(values.count - 1), low = Int(place), found = number(low)
        return low + 1 < values.count ? found + (place - Double(low)) * (number(low + 1) - found) : found
    }

    /// The number at a place of the order.
    private func number(_ place: Int) -> Double {
        var low = 0, high = Self.parts
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= place { low = middle } else { high = middle }
        }
        return values.filter { partOf($0) == low }.sorted()[place - starts[low]]
    }
}
