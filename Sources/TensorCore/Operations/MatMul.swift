import CKernels

extension Variable {
    /// Matrix product of [B..., M, K] and [B..., K, N], batch by batch.
    ///
    /// - Parameters:
    ///   - transposedSelf: self is [B..., K, M].
    ///   - transposed: other is [B..., N, K].
    public func matmul(_ other: Variable, transposedSelf: Bool = false, transposed: Bool = false) -> Variable {
        let output = TensorCore.matmul(tensor, other.tensor, transposeA: transposedSelf, transposeB: transposed)
        return Tape.record([self, other], output) { grad in
            // c = op(a) op(b). The gradient of op(a) is dc op(b)^T and that of op(b) is op(a)^T dc. Where op
            // transposes, the gradient is transposed, too.
            [
                !isTracked
                    ? nil
                    : transposedSelf
                        ? TensorCore.matmul(other.tensor, grad, transposeA: transposed, transposeB: true)
                        : TensorCore.matmul(grad, other.tensor, transposeB: !transposed),
                !other.isTracked
                    ? nil
                    : transposed
                        ? TensorCore.matmul(grad, tensor, transposeA: true, transposeB: transposedSelf)
                        : TensorCore.matmul(tensor, grad, transposeA: !transposedSelf),
            ]
        }
    }
}

func matmul(_ a: Tensor, _ b: Tensor, transposeA: Bool = false, transposeB: Bool = false) -> Tensor {
    requireShape(
        a.rank >= 2 && a.rank == b.rank && a.shape.dropLast(2) == b.shape.dropLast(2), "matmul", a.shape, b.shape)
    let rowsA = a.shape[a.rank - 2], columnsA = a.shape[a.rank - 1]
    let rowsB = b.shape[b.rank - 2], columnsB = b.shape[b.rank - 1]
    let (m, k) = transposeA ? (columnsA, rowsA) : (rowsA, columnsA)
    let (k2, n) = transposeB ? (columnsB, rowsB) : (rowsB, columnsB)
    requireShape(k == k2, "matmul", a.shape, b.shape)
    let result = Tensor(uninitialized: a.shape.dropLast(2) + [m, n])
    parallelFor(a.shape.dropLast(2).reduce(1, *)) { batch in
        fovea_sgemm(
            transposeA ? 1 : 0, transposeB ? 1 : 0, m, n, k, 1, a.pointer + batch * m * k, columnsA,
            b.pointer + batch * k * n, columnsB, 0, result.pointer + batch * m * n, n)
    }
    return result
}
