import CKernels

extension Variable {
    /// Looks up rows of a table [R, D]; N indices give [N, D].
    public func embedding(_ indices: [Int]) -> Variable {
        requireShape(
            shape.count == 2 && indices.allSatisfy { 0 <= $0 && $0 < shape[0] }, "embedding", shape, indices)
        let width = shape[1]
        let output = Tensor(uninitialized: [indices.count, width])
        for (row, index) in indices.enumerated() {
            (output.pointer + row * width).update(from: tensor.pointer + index * width, count: width)
        }
        return Tape.record([self], output) { [shape] grad in
            let gradTable = Tensor.zeros(shape)
            for (row, index) in indices.enumerated() {
                Kernels.table.add_into(width, grad.pointer + row * width, gradTable.pointer + index * width)
            }
            return [gradTable]
        }
    }
}
