extension Variable {
    /// Joins along the last axis: [..., A] and [..., B] -> [..., A + B].
    public func concatenated(_ other: Variable) -> Variable {
        requireShape(shape.dropLast() == other.shape.dropLast(), "concatenated", shape, other.shape)
        let a = shape.last ?? 1, b = other.shape.last ?? 1
        let output = Tensor(uninitialized: shape.dropLast() + [a + b])
        let rows = shape.dropLast().reduce(1, *)
        parallelRuns(rows, grain: max(1, 32768 / (a + b))) { start, length in
            for row in start..<start + length {
                let target = output.pointer + row * (a + b)
                target.update(from: tensor.pointer + row * a, count: a)
                (target + a).update(from: other.tensor.pointer + row * b, count: b)
            }
        }
        return Tape.record([self, other], output) { [shape, otherShape = other.shape] grad in
            let gradA = Tensor(uninitialized: shape), gradB = Tensor(uninitialized: otherShape)
            parallelRuns(rows, grain: max(1, 32768 / (a + b))) { start, length in
                for row in start..<start + length {
                    let source = grad.pointer + row * (a + b)
                    (gradA.pointer + row * a).update(from: source, count: a)
                    (gradB.pointer + row * b).update(from: source + a, count: b)
                }
            }
            return [gradA, gradB]
        }
    }
}
