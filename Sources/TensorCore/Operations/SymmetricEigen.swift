import CKernels

/// Eigenvalues and eigenvectors of a symmetric matrix, by LAPACK.
///
/// - Parameter matrix: [size, size].
/// - Returns: the eigenvalues, the largest first, and the eigenvectors as rows of [size, size].
package func symmetricEigen(_ matrix: [Double], size: Int) -> (values: [Double], vectors: [Double]) {
    requireShape(matrix.count == size * size, "symmetricEigen", "\(matrix.count) elements", [size, size])
    var vectors = matrix, values = [Double](repeating: 0, count: size)
    let problem = fovea_symmetric_eigen(size, &vectors, &values)
    if problem != 0 { fatalError("symmetricEigen: LAPACK's dsyevd says \(problem) for a matrix of \(size)") }
    let order = (0..<size).reversed()
    return (order.map { values[$0] }, order.flatMap { vectors[$0 * size..<($0 + 1) * size] })
}
