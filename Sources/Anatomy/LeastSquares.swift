/// The coefficients c that make the weighted sum of (values - rows c)^2 least; nil where the rows do not determine
/// them.
///
/// - Parameters:
///   - rows: [count, coefficients].
///   - ridge: added to the normal equations' diagonal, but not for the first coefficient.
func leastSquares(_ rows: [[Float]], _ values: [Float], weights: [Float], ridge: Float = 0) -> [Float]? {
    guard let count = rows.first?.count else { return nil }
    var system = [[Double]](repeating: [Double](repeating: 0, count: count + 1), count: count)
    for k in rows.indices where weights[k] > 0 {
        for i in 0..<count {
            let factor = Double(weights[k] * rows[k][i])
            for j in 0..<count { system[i][j] += factor * Double(rows[k][j]) }
            system[i][count] += factor * Double(values[k])
        }
    }
    for i in 1..<max(1, count) { system[i][i] += Double(ridge) }
    // Elimination with the largest pivot.
    for i in 0..<count {
        guard let pivot = (i..<count).max(by: { abs(system[$0][i]) < abs(system[$1][i]) }),
            abs(system[pivot][i]) > 1e-9
        else { return nil }
        system.swapAt(i, pivot)
        for row in 0..<count where row != i {
            let factor = system[row][i] / system[i][i]
            if factor != 0 { for j in i...count { system[row][j] -= factor * system[i][j] } }
        }
    }
    return (0..<count).map { Float(system[$0][count] / system[$0][$0]) }
}
