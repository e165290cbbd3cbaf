import CKernels

extension Variable {
    /// x W + b over the last axis.
    ///
    /// - Parameters:
    ///   - weight: [in, out].
    ///   - bias: [out], or nil.
    public func linear(_ weight: Variable, bias: Variable?) -> Variable {
        let output = linearForward(tensor, weight.tensor, bias: bias?.tensor)
        return Tape.record([self, weight] + (bias.map { [$0] } ?? []), output) { grad in
            [
                isTracked ? linearGradInput(grad, weight.tensor) : nil,
                weight.isTracked ? linearGradWeight(tensor, grad) : nil,
                (bias?.isTracked ?? false) ? sumToShape(grad, [weight.shape[1]]) : nil,
            ]
        }
    }
}

/// Calls `body(first row, rows)` for the pieces of an [images, rows, ...] matrix: an image is cut by its own shape, so
/// that its result does not depend on the batch. (OpenBLAS's kernels round a row differently by the number of rows.)
private func forEachRowPiece(images: Int, rows: Int, _ body: (Int, Int) -> Void) {
    let piece = 1024
    let pieces = (rows + piece - 1) / piece
    parallelFor(images * pieces) { task in
        let start = task % pieces * piece
        body(task / pieces * rows + start, min(piece, rows - start))
    }
}

/// [N, ..., in] * [in, out] -> [N, ..., out]
func linearForward(_ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
    let inputs = weight.shape[0], outputs = weight.shape[1]
    requireShape(x.shape.last == inputs && bias.map { $0.shape == [outputs] } ?? true, "linear", x.shape, weight.shape)
    let output = Tensor(uninitialized: x.shape.dropLast() + [outputs])
    let images = x.shape.count > 1 ? x.shape[0] : 1
    let rows = x.count / max(1, images * inputs)
    forEachRowPiece(images: images, rows: rows) { first, count in
        let source = x.pointer + first * inputs, target = output.pointer + first * outputs
        // A product with one row, or few columns, is not worth BLAS, whose kernels for it differ.
        if rows < 4 {
            Kernels.table.linear_rows(count, inputs, outputs, source, weight.pointer, bias?.pointer, target)
        } else {
            fovea_sgemm(0, 0, count, outputs, inputs, 1, source, inputs, weight.pointer, outputs, 0, target, outputs)
            if let bias { Kernels.table.add_bias(count, outputs, bias.pointer, target) }
        }
    }
    return output
}

/// [N, ..., out] * [in, out]^T -> [N, ..., in]
func linearGradInput(_ grad: Tensor, _ weight: Tensor) -> Tensor {
    let inputs = weight.shape[0], outputs = weight.shape[1]
    let result = Tensor(uninitialized: grad.shape.dropLast() + [inputs])
    let images = grad.shape.count > 1 ? grad.shape[0] : 1
    let rows = grad.count / max(1, images * outputs)
    forEachRowPiece(images: images, rows: rows) { first, count in
        fovea_sgemm(
            0, 1, count, inputs, outputs, 1, grad.pointer + first * outputs, outputs, weight.pointer, outputs, 0,
            result.pointer + first * inputs, inputs)
    }
    return result
}

/// x^T grad over all rows: [in, out], cut by blocks of its own rows, each summed in one product.
func linearGradWeight(_ x: Tensor, _ grad: Tensor) -> Tensor {
    let inputs = x.shape.last ?? 1, outputs = grad.shape.last ?? 1
    let result = Tensor(uninitialized: [inputs, outputs])
    let rows = grad.count / outputs
    parallelRuns(inputs, grain: 32) { first, count in
        fovea_sgemm(
            1, 0, count, outputs, rows, 1, x.pointer + first, inputs, grad.pointer, outputs, 0,
            result.pointer + first * outputs, outputs)
    }
    return result
}
