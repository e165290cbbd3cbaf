import TensorCore

/// The sum of share x scale x A B that adapters add to one parameter, in float64. Products and sums have a fixed order,
/// so that the same adapters give the same bits on every machine.
package struct LowRankSum {
    /// One adapter's factors, in the layout's shapes.
    package struct Term {
        package let share: Double
        package let a: Tensor, b: Tensor

        package init(share: Double, a: Tensor, b: Tensor) {
            self.share = share
            self.a = a
            self.b = b
        }
    }

    private let parameter: AdaptedParameter
    /// [rows, columns]
    package private(set) var values: [Double]

    /// - Parameter scale: the scale of the adapters' configuration.
    package init(_ parameter: AdaptedParameter, scale: Double) {
        self.parameter = parameter
        values = [Double](repeating: 0, count: parameter.rows * parameter.columns)
        self.scale = scale
    }

    private let scale: Double

    /// Adds one adapter's share x scale x A B.
    package mutating func add(_ term: Term) {
        let (left, right) = parameter.isALeft ? (term.a, term.b) : (term.b, term.a)
        let rank = parameter.rank, columns = parameter.columns, factor = term.share * scale
        if left.count != parameter.rows * rank || right.count != rank * columns {
            fatalError("LowRankSum: \(left.shape) and \(right.shape) do not fit \(parameter.path)")
        }
        values.withUnsafeMutableBufferPointer { target in
            nonisolated(unsafe) let target = target
            left.withUnsafeBuffer { left in
                right.withUnsafeBuffer { right in
                    nonisolated(unsafe) let left = left, right = right
                    parallelFor(parameter.rows) { row in
                        for k in 0..<rank {
                            let each = factor * Double(left[row * rank + k])
                            for column in 0..<columns {
                                target[row * columns + column] += each * Double(right[k * columns + column])
                            }
                        }
                    }
                }
            }
        }
    }

    /// `weight` plus the sum, rounded once.
    package func added(to weight: Tensor) -> Tensor {
        if weight.count != values.count { fatalError("LowRankSum: \(weight.shape) is not \(parameter.path)") }
        return weight.withUnsafeBuffer { own in
            Tensor(shape: weight.shape) { target in
                // A sum of zero leaves the weight's bits as they are, also where the weight is -0.
                for i in target.indices { target[i] = values[i] == 0 ? own[i] : Float(Double(own[i]) + values[i]) }
            }
        }
    }

    /// The sum of the squares of all values.
    package var squares: Double { values.reduce(0) { $0 + $1 * $1 } }

    /// The sum of the squared differences from another sum.
    package func squaredDistance(to other: LowRankSum) -> Double {
        zip(values, other.values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }

    /// The nearest sum that has the parameter's own rank (Eckart and Young 1936): the projection on the strongest
    /// directions along the shorter side.
    package func truncated() -> LowRankSum {
        let rows = parameter.rows, columns = parameter.columns, isWide = columns > rows, side = min(rows, columns)
        // [side, side]: D D^T or D^T D.
        let gram = product(of: isWide ? values : transposed(values, rows, columns), side, max(rows, columns))
        let directions = symmetricEigen(gram, size: side).vectors
        var result = LowRankSum(parameter, scale: scale)
        // Adds the projection on each direction.
        for k in 0..<parameter.rank {
            let direction = directions[k * side..<(k + 1) * side]
            let first = direction.startIndex
            if isWide {
                var along = [Double](repeating: 0, count: columns)
                for r in 0..<rows {
                    for c in 0..<columns { along[c] += direction[first + r] * values[r * columns + c] }
                }
                for r in 0..<rows {
                    for c in 0..<columns { result.values[r * columns + c] += direction[first + r] * along[c] }
                }
            } else {
                for r in 0..<rows {
                    var along = 0.0
                    for c in 0..<columns { along += values[r * columns + c] * direction[first + c] }
                    for c in 0..<columns { result.values[r * columns + c] += along * direction[first + c] }
                }
            }
        }
        return result
    }

    private func transposed(_ matrix: [Double], _ rows: Int, _ columns: Int) -> [Double] {
        (0..<columns).flatMap { c in (0..<rows).map { matrix[$0 * columns + c] } }
    }

    /// M M^T for M [side, length].
    private func product(of matrix: [Double], _ side: Int, _ length: Int) -> [Double] {
        var gram = [Double](repeating: 0, count: side * side)
        gram.withUnsafeMutableBufferPointer { target in
            nonisolated(unsafe) let target = target
            matrix.withUnsafeBufferPointer { rows in
                nonisolated(unsafe) let rows = rows
                parallelFor(side) { i in
                    for j in 0...i {
                        var sums = SIMD8<Double>()
                        var k = 0
                        while k + 8 <= length {
                            var a = SIMD8<Double>(), b = SIMD8<Double>()
                            for lane in 0..<8 {
                                (a[lane], b[lane]) = (rows[i * length + k + lane], rows[j * length + k + lane])
                            }
                            sums += a * b
                            k += 8
                        }
                        var sum = sums.sum()
                        while k < length {
                            sum += rows[i * length + k] * rows[j * length + k]
                            k += 1
                        }
                        target[i * side + j] = sum
                        target[j * side + i] = sum
                    }
                }
            }
        }
        return gram
    }
}

extension ParameterMap {
    /// The base's parameters plus what `sum` gives for the index of each adapted parameter in the layout.
    package func adding(_ layout: AdapterLayout, _ sum: (Int) throws -> LowRankSum) rethrows -> ParameterMap {
        var result = self
        for (index, parameter) in layout.adapted.enumerated() {
            result.tensors[parameter.number] = try sum(index).added(to: tensors[parameter.number])
        }
        return result
    }
}

extension Adaptation {
    /// The names, in files, of the trained factors of the adapted parameter `index`; the name of A is nil where A is
    /// frozen.
    package func names(_ index: Int) -> (a: String?, b: String) {
        let parameter = layout.adapted[index]
        return (
            parameter.numberOfA.map { layout.specifications[$0].path }, layout.specifications[parameter.numberOfB].path
        )
    }

    /// The frozen factor of the adapted parameter `index`; nil where A is trained.
    package func frozenFactor(_ index: Int) -> Tensor? {
        layout.adapted[index].numberOfA == nil ? a(index) { _ in fatalError("A is frozen") }.tensor : nil
    }
}
