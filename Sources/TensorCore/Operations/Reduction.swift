import CKernels

// Sums and means.

extension Variable {
    /// The sum of all elements: shape [].
    public func sum() -> Variable {
        Tape.record([self], Tensor([Float(sumOfElements(tensor))], shape: [])) { [shape] grad in
            [Tensor(repeating: grad.scalar, shape: shape)]
        }
    }

    /// The mean of all elements: shape [].
    public func mean() -> Variable {
        let count = Float(tensor.count)
        return Tape.record([self], Tensor([Float(sumOfElements(tensor) / Double(tensor.count))], shape: [])) {
            [shape] grad in
            [Tensor(repeating: grad.scalar / count, shape: shape)]
        }
    }

    /// The sum along `axes`, which keep size 1.
    public func sum(axes: [Int]) -> Variable {
        var target = shape
        for axis in axes { target[axis] = 1 }
        return Tape.record([self], sumToShape(tensor, target)) { [shape] grad in
            [binary(FOVEA_ADD, grad, .zeros(shape))]
        }
    }

    /// The mean along `axes`, which keep size 1.
    public func mean(axes: [Int]) -> Variable {
        let count = axes.reduce(1) { $0 * shape[$1] }
        return sum(axes: axes).scaled(by: 1 / Float(count))
    }
}

extension Tensor {
    /// Whether every element is finite.
    public var isFinite: Bool { sumOfElements(self).isFinite || elements.allSatisfy(\.isFinite) }

    /// The sum of x^2 over all elements, in a fixed order.
    public var sumOfSquares: Double { runSum(self) { Kernels.table.sum_of_squares($0, $1) } }
}

func sumOfElements(_ a: Tensor) -> Double { runSum(a) { Kernels.table.sum($0, $1) } }

/// Sums runs on the pool and adds the runs' sums in order.
private func runSum(_ a: Tensor, _ sum: (Int, UnsafePointer<Float>) -> Double) -> Double {
    let grain = 65536
    var partial = [Double](repeating: 0, count: (a.count + grain - 1) / grain)
    partial.withUnsafeMutableBufferPointer { partial in
        nonisolated(unsafe) let sums = partial
        parallelRuns(a.count, grain: grain) { start, length in sums[start / grain] = sum(length, a.pointer + start) }
    }
    return partial.reduce(0, +)
}

/// Sums over the axes along which a tensor of `shape` was repeated: the adjoint of broadcasting.
func sumToShape(_ a: Tensor, _ shape: [Int]) -> Tensor {
    if a.shape == shape { return a }
    let padded = [Int](repeating: 1, count: a.rank - shape.count) + shape
    requireShape(zip(a.shape, padded).allSatisfy { $0 == $1 || $1 == 1 }, "sumToShape", a.shape, shape)
    // Neighbouring axes are summed together; [sum, keep] and [keep, sum] are the cases that networks need fast.
    var current = a
    var dimensions = a.shape
    for axis in dimensions.indices where padded[axis] == 1 && dimensions[axis] != 1 {
        let outer = dimensions[..<axis].reduce(1, *)
        var last = axis
        while last + 1 < dimensions.count, padded[last + 1] == 1 { last += 1 }
        let summed = dimensions[axis...last].reduce(1, *)
        let inner = dimensions[(last + 1)...].reduce(1, *)
        for other in axis...last { dimensions[other] = 1 }
        current = sumMiddle(current, outer: outer, summed: summed, inner: inner)
    }
    return current.reshaped(shape)
}

/// [outer, summed, inner] -> [outer, inner], in a fixed order.
func sumMiddle(_ a: Tensor, outer: Int, summed: Int, inner: Int) -> Tensor {
    let result = Tensor(uninitialized: [outer, inner])
    if inner == 1 {
        parallelRuns(outer, grain: max(1, 32768 / max(1, summed))) { start, length in
            for o in start..<start + length {
                result.pointer[o] = Float(Kernels.table.sum(summed, a.pointer + o * summed))
            }
        }
        return result
    }
    // Rows are cut into pieces; each piece has its own sums, which are then added in order.
    let piece = max(64, 65536 / inner)
    let pieces = (summed + piece - 1) / piece
    let sums = Sums(outer * pieces * inner)
    parallelFor(outer * pieces) { task in
        let o = task / pieces, p = task % pieces
        Kernels.table.column_sums(
            min(piece, summed - p * piece), inner, a.pointer + (o * summed + p * piece) * inner, inner,
            sums.pointer + task * inner)
    }
    for o in 0..<outer {
        for i in 0..<inner {
            var total = 0.0
            for p in 0..<pieces { total += sums[(o * pieces + p) * inner + i] }
            result.pointer[o * inner + i] = Float(total)
        }
    }
    return result
}

/// Sums in float64 that begin at 0, in memory that the allocator reuses.
struct Sums {
    private let memory: Tensor

    init(_ count: Int) {
        memory = Tensor(uninitialized: [2 * count])
        pointer.update(repeating: 0, count: count)
    }

    var pointer: UnsafeMutablePointer<Double> {
        UnsafeMutableRawPointer(memory.pointer).assumingMemoryBound(to: Double.self)
    }

    subscript(index: Int) -> Double { pointer[index] }
}
