/// Inner products of many rows with the rows of one fixed matrix, by our own kernels. An element depends only on its
/// two rows, not on the other rows and not on the number of threads.
package struct RowProducts: Sendable {
    /// The number of elements in a row.
    package let length: Int
    /// The number of rows of the fixed matrix.
    package let count: Int
    private let packed: PackedMatrix

    /// - Parameter rows: [count, length], row-major.
    package init(_ rows: [Float], count: Int, length: Int) {
        if rows.count != count * length {
            fatalError("RowProducts: \(rows.count) elements are not \(count) rows of \(length)")
        }
        self.length = length
        self.count = count
        packed = rows.withUnsafeBufferPointer {
            PackedMatrix(transposing: $0.baseAddress.unsafelyUnwrapped, k: length, columns: count)
        }
    }

    /// Multiplies every row of `other` [rows, length] by every row of the fixed matrix, into [rows, count], on the
    /// calling thread.
    package func multiply(_ other: UnsafePointer<Float>, rows: Int, into products: UnsafeMutablePointer<Float>) {
        packed.multiply(rows: rows, other, into: products)
    }
}
