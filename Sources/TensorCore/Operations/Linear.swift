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

    /// `linear` of two inputs, as if they were concatenated along the last axis: [..., A] and [..., B] by [A + B, out].
    public func linear(besides other: Variable, _ weight: Variable, bias: Variable?) -> Variable {
        let a = shape.last ?? 1, b = other.shape.last ?? 1
        requireShape(
            shape.dropLast() == other.shape.dropLast() && weight.shape.first == a + b, "linear", [shape, other.shape],
            weight.shape)
        let outputs = weight.shape[1]
        let (x, y) = (tensor, other.tensor)
        let upper = weight.tensor.rows(0..<a), lower = weight.tensor.rows(a..<a + b)
        let output = linearForward(x, upper, bias: bias?.tensor)
        linearForward(y, lower, addedTo: output)
        return Tape.record([self, other, weight] + (bias.map { [$0] } ?? []), output) { grad in
            [
                linearGradInput(grad, upper), linearGradInput(grad, lower),
                Tensor(shape: [a + b, outputs]) { target in
                    for (part, first) in [(linearGradWeight(x, grad), 0), (linearGradWeight(y, grad), a * outputs)] {
                        (target.baseAddress.unsafelyUnwrapped + first).update(from: part.pointer, count: part.count)
                    }
                },
                sumToShape(grad, [outputs]),
            ]
        }
    }
}

/// The number of rows in a task, a multiple of the tile rows of every product kernel.
private let rowsOfTask = 192

/// [..., in] * [in, out] -> [..., out]
func linearForward(_ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
    let inputs = weight.shape[0], outputs = weight.shape[1]
    requireShape(x.shape.last == inputs && bias.map { $0.shape == [outputs] } ?? true, "linear", x.shape, weight.shape)
    let output = Tensor(uninitialized: x.shape.dropLast() + [outputs])
    let packed = PackedMatrix.of(weight, k: inputs, columns: outputs)
    parallelRuns(x.count / max(1, inputs), grain: rowsOfTask) { first, count in
        let target = output.pointer + first * outputs
        packed.multiply(rows: count, x.pointer + first * inputs, into: target)
        if let bias { Kernels.table.add_bias(count, outputs, bias.pointer, target) }
    }
    return output
}

/// Adds [..., in] * [in, out] to `output` in place; nobody else may hold `output` yet.
private func linearForward(_ x: Tensor, _ weight: Tensor, addedTo output: Tensor) {
    let inputs = weight.shape[0], outputs = weight.shape[1]
    let packed = PackedMatrix(weight.pointer, k: inputs, columns: outputs)
    parallelRuns(x.count / max(1, inputs), grain: rowsOfTask) { first, count in
        packed.multiply(
            rows: count, x.pointer + first * inputs, into: output.pointer + first * outputs, accumulate: true)
    }
}

/// [..., out] * [in, out]^T -> [..., in]
func linearGradInput(_ grad: Tensor, _ weight: Tensor) -> Tensor {
    let inputs = weight.shape[0], outputs = weight.shape[1]
    let result = Tensor(uninitialized: grad.shape.dropLast() + [inputs])
    let packed = PackedMatrix(transposing: weight.pointer, k: outputs, columns: inputs)
    parallelRuns(grad.count / max(1, outputs), grain: rowsOfTask) { first, count in
        packed.multiply(rows: count, grad.pointer + first * outputs, into: result.pointer + first * inputs)
    }
    return result
}

/// x^T grad over all rows: [in, out].
func linearGradWeight(_ x: Tensor, _ grad: Tensor) -> Tensor {
    let inputs = x.shape.last ?? 1, outputs = grad.shape.last ?? 1
    return adjointProduct(rows: grad.count / max(1, outputs), aColumns: inputs, bColumns: outputs) {
        first, count, a, b in
        Kernels.table.pack(count, inputs, x.pointer + first * inputs, inputs, a)
        Kernels.table.pack(count, outputs, grad.pointer + first * outputs, outputs, b)
    }
}
