import CKernels

extension Variable {
    /// x * sigmoid(x) (Elfwing et al. 2018).
    public func silu() -> Variable {
        Tape.record([self], unary(tensor) { Kernels.table.silu($0, $1, $2) }) { [tensor] grad in
            let result = Tensor(uninitialized: tensor.shape)
            parallelRuns(tensor.count) { start, length in
                Kernels.table.silu_gradient(
                    length, tensor.pointer + start, grad.pointer + start, result.pointer + start)
            }
            return [result]
        }
    }
}
