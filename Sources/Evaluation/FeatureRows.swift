import Pictures
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

    /// The features of each picture, computed on several threads.
    init(_ pictures: PictureSet, _ features: (Picture) -> [Double]) {
        var rows = [[Double]](repeating: [], count: pictures.count)
        rows.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let target = buffer
            parallelFor(pictures.count) { target[$0] = features(pictures[$0]) }
        }
        self.init(rows)
    }

    subscript(row: Int) -> ArraySlice<Double> { elements[row * width..<(row + 1) * width] }

    /// The rows with these numbers, in that order; not empty.
    package func selecting(_ rows: [Int]) -> FeatureRows { FeatureRows(rows.map { Array(self[$0]) }) }

    func appending(_ other: FeatureRows) -> FeatureRows {
        FeatureRows((0..<count).map { Array(self[$0]) } + (0..<other.count).map { Array(other[$0]) })
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
        dot(elements, row * width, other.elements, otherRow * width, width)
    }

    /// A value for each row, computed on several threads.
    func map(_ value: (Int) -> Double) -> [Double] { mapRows { [value($0)] }.map { $0[0] } }

    /// Values for each row, computed on several threads.
    func mapRows(_ values: (Int) -> [Double]) -> [[Double]] {
        var rows = [[Double]](repeating: [], count: count)
        rows.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let target = buffer
            parallelFor(count) { target[$0] = values($0) }
        }
        return rows
    }
}
