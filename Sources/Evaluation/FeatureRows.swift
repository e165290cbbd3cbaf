import TensorCore

/// Features of pictures, [count, width], one row for each picture.
package struct FeatureRows: Sendable {
    package let count: Int, width: Int
    package let elements: [Double]

    /// - Parameter rows: not empty, all of the same length.
    package init(_ rows: [[Double]]) {
        guard let width = rows.first?.count, width > 0, rows.allSatisfy({ $0.count == width }) else {
            fatalError("FeatureRows: \(rows.count) rows of \(Set(rows.map(\.count)).sorted()) features")
        }
        (count, self.width, elements) = (rows.count, width, rows.flatMap(\.self))
    }

    /// The squared euclidean distance of a row to a row of another set.
    func squaredDistance(_ row: Int, to other: FeatureRows, _ otherRow: Int) -> Double {
        var sum = 0.0
        for feature in 0..<width {
            let difference = elements[row * width + feature] - other.elements[otherRow * width + feature]
            sum += difference * difference
        }
        return sum
    }

    func product(_ row: Int, with other: FeatureRows, _ otherRow: Int) -> Double {
        var sum = 0.0
        for feature in 0..<width {
            sum += elements[row * width + feature] * other.elements[otherRow * width + feature]
        }
        return sum
    }

    /// A value for each row, computed on several threads.
    func map(_ value: (Int) -> Double) -> [Double] {
        [Double](unsafeUninitializedCapacity: count) { values, initialized in
            nonisolated(unsafe) let values = values
            parallelFor(count) { values[$0] = value($0) }
            initialized = count
        }
    }
}
