import CKernels

extension Variable {
    /// Softmax along the last axis.
    public func softmax() -> Variable {
        let columns = shape.last ?? 1
        let rows = tensor.count / max(1, columns)
        let grain = max(1, 32768 / max(1, columns))
        let result = Tensor(uninitialized: shape)
        parallelRuns(rows, grain: grain) { start, length in
            Kernels.table.softmax(
                length, columns, 1, tensor.pointer + start * columns, result.pointer + start * columns)
        }
        return Tape.record([self], result) { grad in
            let gradInput = Tensor(uninitialized: result.shape)
            parallelRuns(rows, grain: grain) { start, length in
                let offset = start * columns
                Kernels.table.softmax_gradient(
                    length, columns, 1, result.pointer + offset, grad.pointer + offset, gradInput.pointer + offset)
            }
            return [gradInput]
        }
    }
}
