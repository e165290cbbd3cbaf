import CKernels

// Elementwise arithmetic with broadcasting (NumPy's rules).

extension Variable {
    public static func + (a: Variable, b: Variable) -> Variable {
        Tape.record([a, b], binary(FOVEA_ADD, a.tensor, b.tensor)) {
            [shapeA = a.shape, shapeB = b.shape, needsA = a.isTracked, needsB = b.isTracked] grad in
            [
                needsA ? sumToShape(grad, shapeA) : nil,
                needsB ? sumToShape(grad, shapeB) : nil,
            ]
        }
    }

    public static func - (a: Variable, b: Variable) -> Variable {
        Tape.record([a, b], binary(FOVEA_SUBTRACT, a.tensor, b.tensor)) {
            [shapeA = a.shape, shapeB = b.shape, needsA = a.isTracked, needsB = b.isTracked] grad in
            [
                needsA ? sumToShape(grad, shapeA) : nil,
                needsB ? sumToShape(grad, shapeB).scaled(by: -1) : nil,
            ]
        }
    }

    public static func * (a: Variable, b: Variable) -> Variable {
        Tape.record([a, b], binary(FOVEA_MULTIPLY, a.tensor, b.tensor)) { grad in
            [
                a.isTracked ? sumToShape(binary(FOVEA_MULTIPLY, grad, b.tensor), a.shape) : nil,
                b.isTracked ? sumToShape(binary(FOVEA_MULTIPLY, grad, a.tensor), b.shape) : nil,
            ]
        }
    }

    public static func / (a: Variable, b: Variable) -> Variable {
        let quotient = binary(FOVEA_DIVIDE, a.tensor, b.tensor)
        return Tape.record([a, b], quotient) { grad in
            let gradA = binary(FOVEA_DIVIDE, grad, b.tensor)
            return [
                a.isTracked ? sumToShape(gradA, a.shape) : nil,
                b.isTracked ? sumToShape(binary(FOVEA_MULTIPLY, gradA, quotient), b.shape).scaled(by: -1) : nil,
            ]
        }
    }

    /// scale * x + offset.
    public func scaled(by scale: Float, offset: Float = 0) -> Variable {
        Tape.record([self], tensor.scaled(by: scale, offset: offset)) { grad in [grad.scaled(by: scale)] }
    }

    /// x * x, elementwise.
    public func squared() -> Variable {
        Tape.record([self], binary(FOVEA_MULTIPLY, tensor, tensor)) { grad in
            [binary(FOVEA_MULTIPLY, grad, tensor).scaled(by: 2)]
        }
    }

    /// e^x, elementwise.
    public func exponential() -> Variable {
        let result = unary(tensor) { Kernels.table.exp($0, $1, $2) }
        return Tape.record([self], result) { grad in [binary(FOVEA_MULTIPLY, grad, result)] }
    }
}

extension Tensor {
    public static func + (a: Tensor, b: Tensor) -> Tensor { binary(FOVEA_ADD, a, b) }
    public static func - (a: Tensor, b: Tensor) -> Tensor { binary(FOVEA_SUBTRACT, a, b) }
    public static func * (a: Tensor, b: Tensor) -> Tensor { binary(FOVEA_MULTIPLY, a, b) }

    /// scale * x + offset.
    public func scaled(by scale: Float, offset: Float = 0) -> Tensor {
        unary(self) { Kernels.table.scale_add($0, scale, $1, offset, $2) }
    }
}

func unary(_ a: Tensor, _ loop: (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void) -> Tensor {
    let result = Tensor(uninitialized: a.shape)
    parallelRuns(a.count) { start, length in loop(length, a.pointer + start, result.pointer + start) }
    return result
}

/// The shape of `a op b` for operands of shapes `a` and `b`.
func broadcastShape(_ a: [Int], _ b: [Int]) -> [Int] {
    let rank = max(a.count, b.count)
    return (0..<rank).map { axis in
        let left = axis < rank - a.count ? 1 : a[axis - (rank - a.count)]
        let right = axis < rank - b.count ? 1 : b[axis - (rank - b.count)]
        requireShape(left == right || left == 1 || right == 1, "broadcast", a, b)
        return left == 1 ? right : left
    }
}

/// The steps, in elements, of a tensor of `shape` that is broadcast to `target`; 0 along the axes that repeat.
private func broadcastStrides(_ shape: [Int], _ target: [Int]) -> [Int] {
    var strides = [Int](repeating: 0, count: target.count)
    var step = 1
    for axis in stride(from: shape.count - 1, through: 0, by: -1) {
        if shape[axis] != 1 { strides[axis + target.count - shape.count] = step }
        step *= shape[axis]
    }
    return strides
}

func binary(_ op: fovea_binary_op, _ a: Tensor, _ b: Tensor) -> Tensor {
    if a.shape == b.shape {
        let result = Tensor(uninitialized: a.shape)
        parallelRuns(a.count) { start, length in
            Kernels.table.binary(op, length, a.pointer + start, 1, b.pointer + start, 1, result.pointer + start)
        }
        return result
    }
    let shape = broadcastShape(a.shape, b.shape)
    let result = Tensor(uninitialized: shape)
    guard result.count > 0 else { return result }
    // Neighbouring axes are joined where each operand is either contiguous across both or repeated along both.
    var sizes: [Int] = [], stepsA: [Int] = [], stepsB: [Int] = []
    for (size, (stepA, stepB)) in zip(shape, zip(broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape)))
    where size != 1 {
        if let last = sizes.indices.last, stepsA[last] == stepA * size, stepsB[last] == stepB * size {
            sizes[last] *= size
            stepsA[last] = stepA
            stepsB[last] = stepB
        } else {
            sizes.append(size)
            stepsA.append(stepA)
            stepsB.append(stepB)
        }
    }
    let inner = sizes.popLast() ?? 1
    let innerA = stepsA.popLast() ?? 0, innerB = stepsB.popLast() ?? 0
    let outer = sizes.reduce(1, *)
    let grain = max(1, 32768 / inner)
    parallelRuns(outer, grain: grain) { start, length in
        for run in start..<start + length {
            var rest = run, offsetA = 0, offsetB = 0
            for axis in sizes.indices.reversed() {
                let position = rest % sizes[axis]
                rest /= sizes[axis]
                offsetA += position * stepsA[axis]
                offsetB += position * stepsB[axis]
            }
            Kernels.table.binary(
                op, inner, a.pointer + offsetA, innerA, b.pointer + offsetB, innerB, result.pointer + run * inner)
        }
    }
    return result
}
