import TensorCore
import TestTensors
import Testing

/// What holds for every operation in the table, on larger shapes than the fixtures'. Serialized, because the number of
/// threads is the process's.
@Suite(.serialized) struct OperationPropertyTests {
    private func inputs(_ entry: OperationEntry, tape: Tape? = nil) -> [String: Variable] {
        var result: [String: Variable] = [:]
        for (number, name) in entry.example.shapes.keys.sorted().enumerated() {
            let tensor = randomTensor(entry.example.shapes[name]!, seed: UInt64(number + 1))
            // Away from 0, where division has no derivative.
            let safe =
                entry.name == "divide" && name == "rhs"
                ? Tensor(tensor.elements.map { $0 < 0 ? $0 - 1 : $0 + 1 }, shape: tensor.shape) : tensor
            result[name] = tape.map { $0.variable(safe) } ?? Variable(safe)
        }
        return result
    }

    /// Along a random direction, the gradient agrees with a central difference, summed in float64.
    @Test(arguments: operationTable.map(\.name))
    func finiteDifferences(_ name: String) throws {
        let entry = try #require(operationTable.first { $0.name == name })
        let tape = Tape()
        let variables = inputs(entry, tape: tape)
        let output = entry.run(variables, entry.example.integers)
        let gradOutput = randomTensor(output.shape, seed: 99)
        let names = variables.keys.sorted()
        let gradients = tape.gradients(of: output, gradOutput: gradOutput, for: names.map { variables[$0]! })
        let plain = inputs(entry)
        for (number, name) in names.enumerated() {
            let direction = randomTensor(plain[name]!.shape, seed: UInt64(200 + number))
            func value(_ step: Float) -> Double {
                var moved = plain
                moved[name] = Variable(plain[name]!.tensor + direction.scaled(by: step))
                return dot(entry.run(moved, entry.example.integers).tensor, gradOutput)
            }
            // Richardson's extrapolation of two central differences, so that a step large enough for float32 is exact
            // enough.
            let wide = (value(2e-2) - value(-2e-2)) / 4e-2, narrow = (value(1e-2) - value(-1e-2)) / 2e-2
            let numeric = (4 * narrow - wide) / 3
            let analytic = dot(gradients[number], direction)
            let size = (gradients[number].sumOfSquares * direction.sumOfSquares / Double(direction.count)).squareRoot()
            #expect(
                abs(numeric - analytic) <= 5e-3 * size + 1e-6,
                "\(entry.name): \(name): numeric \(numeric), gradient \(analytic)")
        }
    }

    /// 1, 2, 3 and 4 threads give the same bytes, forward and backward.
    @Test(.exclusivePool, arguments: operationTable.map(\.name))
    func threadsDoNotChangeBytes(_ name: String) throws {
        let entry = try #require(operationTable.first { $0.name == name })
        func result(_ threads: Int) throws -> [[UInt32]] {
            ComputeEnvironment.threads = threads
            try #require(ComputeEnvironment.threads == threads)
            let tape = Tape()
            let variables = inputs(entry, tape: tape)
            let output = entry.run(variables, entry.example.integers)
            let gradients = tape.gradients(
                of: output, gradOutput: randomTensor(output.shape, seed: 99),
                for: variables.keys.sorted().map { variables[$0]! })
            return ([output.tensor] + gradients).map { $0.elements.map(\.bitPattern) }
        }
        let single = try result(1)
        for threads in 2...4 {
            let isSame = try result(threads) == single
            #expect(isSame, "\(entry.name) with \(threads) threads")
        }
    }

    /// A picture alone gives the bytes that it gives within a batch, wherever it stands.
    @Test(arguments: operationTable.filter(\.isBatched).map(\.name))
    func batchDoesNotChangeBytes(_ name: String) throws {
        let entry = try #require(operationTable.first { $0.name == name })
        let together = inputs(entry)
        let whole = entry.run(together, entry.example.integers).tensor
        for image in 0..<3 {
            var alone: [String: Variable] = [:]
            for (name, variable) in together {
                alone[name] =
                    entry.example.shared.contains(name)
                    ? variable : Variable(variable.tensor.rows(image..<image + 1))
            }
            let single = entry.run(alone, entry.example.integers).tensor
            let isSame = single.elements.map(\.bitPattern) == whole.rows(image..<image + 1).elements.map(\.bitPattern)
            #expect(isSame, "\(entry.name), picture \(image)")
        }
    }
}

func dot(_ a: Tensor, _ b: Tensor) -> Double {
    guard a.count == b.count else { return .nan }
    return zip(a.elements, b.elements).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}
