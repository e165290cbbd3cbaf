import CKernels

/// A tensor that operations can be recorded on: reverse-mode differentiation starts from it.
public struct Variable {
    public let tensor: Tensor
    let tape: Tape?
    /// The variable's number on its tape; meaningless where there is no tape.
    let node: Int

    /// A constant: nothing is recorded for it.
    public init(_ tensor: Tensor) {
        self.tensor = tensor
        tape = nil
        node = -1
    }

    init(_ tensor: Tensor, tape: Tape, node: Int) {
        self.tensor = tensor
        self.tape = tape
        self.node = node
    }

    public var shape: [Int] { tensor.shape }
    /// Whether gradients flow to this variable.
    public var isTracked: Bool { tape != nil }
}

/// A record of operations, in order, each with its pullback (Griewank and Walther 2008, reverse accumulation).
///
/// One thread uses it. `gradients` can be called once: entries are dropped as they are used, so that every activation
/// is freed at its last use.
public final class Tape {
    /// Takes the gradient of the output and returns one gradient for each input; nil where no gradient flows.
    typealias Pullback = (_ gradOutput: Tensor) -> [Tensor?]

    private struct Entry {
        let inputs: [Int]
        let output: Int
        let pullback: Pullback
    }

    private var entries: [Entry] = []
    private var nodes = 0

    public init() {}

    /// A variable to which gradients flow.
    public func variable(_ tensor: Tensor) -> Variable {
        defer { nodes += 1 }
        return Variable(tensor, tape: self, node: nodes)
    }

    /// Records that `output` came from `inputs`. The result is a constant where no input is tracked.
    static func record(_ inputs: [Variable], _ output: Tensor, _ pullback: @escaping Pullback) -> Variable {
        guard let tape = inputs.lazy.compactMap(\.tape).first else { return Variable(output) }
        let result = tape.variable(output)
        tape.entries.append(
            Entry(inputs: inputs.map { $0.isTracked ? $0.node : -1 }, output: result.node, pullback: pullback))
        return result
    }

    /// The gradients of `output` with respect to `inputs`, in order; zeros for an input that it does not depend on.
    /// - Parameter gradOutput: the gradient of `output` itself; ones where it is nil.
    public func gradients(of output: Variable, gradOutput: Tensor? = nil, for inputs: [Variable]) -> [Tensor] {
        zip(inputs, knownGradients(of: output, gradOutput: gradOutput, for: inputs)).map { $1 ?? .zeros($0.shape) }
    }

    /// Like `gradients`, but nil for an input that `output` does not depend on.
    package func knownGradients(of output: Variable, gradOutput: Tensor? = nil, for inputs: [Variable]) -> [Tensor?] {
        requireShape(output.tape === self, "gradients", "output of another tape", output.shape)
        requireShape(
            gradOutput.map { $0.shape == output.shape } ?? true, "gradients", gradOutput?.shape ?? [], output.shape)
        var gradients = [Tensor?](repeating: nil, count: nodes)
        gradients[output.node] = gradOutput ?? Tensor(repeating: 1, shape: output.shape)
        var wanted = [Bool](repeating: false, count: nodes)
        for input in inputs { wanted[input.node] = true }
        while let entry = entries.popLast() {
            guard let gradient = gradients[entry.output] else { continue }
            if !wanted[entry.output] { gradients[entry.output] = nil }
            for (input, contribution) in zip(entry.inputs, entry.pullback(gradient)) {
                guard input >= 0, let contribution else { continue }
                Tape.accumulate(contribution, into: &gradients[input])
            }
        }
        return inputs.map { gradients[$0.node] }
    }

    private static func accumulate(_ contribution: Tensor, into slot: inout Tensor?) {
        guard var sum = slot else {
            slot = contribution
            return
        }
        slot = nil
        // The sum is updated in place only where nobody else holds it, because a pullback may have returned one tensor
        // for two inputs.
        if isKnownUniquelyReferenced(&sum.storage) {
            let pointer = sum.pointer
            parallelRuns(sum.count) { start, length in
                Kernels.table.add_into(length, contribution.pointer + start, pointer + start)
            }
            slot = sum
        } else {
            slot = binary(FOVEA_ADD, sum, contribution)
        }
    }
}

extension Variable {
    /// `body(inputs)` as one operation.
    ///
    /// - Parameters:
    ///   - recompute: keeps only the inputs and runs `body` again in the pullback (Chen et al. 2016, "Training deep
    ///     nets with sublinear memory cost"). The numbers are the same either way, because gradients are added in the
    ///     same order.
    ///   - body: uses no tracked variables other than those that it is given, and gives the same result each time.
    public static func block(_ inputs: [Variable], recompute: Bool, _ body: @escaping ([Variable]) -> Variable)
        -> Variable
    {
        let needed = inputs.map(\.isTracked)
        guard needed.contains(true) else { return body(inputs) }
        let tensors = inputs.map(\.tensor)
        func onTape() -> (tape: Tape, variables: [Variable]) {
            let tape = Tape()
            return (tape, zip(tensors, needed).map { $1 ? tape.variable($0) : Variable($0) })
        }
        func gradients(_ tape: Tape, _ variables: [Variable], of output: Variable, _ grad: Tensor) -> [Tensor?] {
            var found = tape.gradients(of: output, gradOutput: grad, for: variables.filter(\.isTracked)).makeIterator()
            return needed.map { $0 ? found.next() : nil }
        }
        if recompute {
            return Tape.record(inputs, body(tensors.map { Variable($0) }).tensor) { grad in
                let (tape, variables) = onTape()
                return gradients(tape, variables, of: body(variables), grad)
            }
        }
        let (tape, variables) = onTape()
        let output = body(variables)
        return Tape.record(inputs, output.tensor) { grad in gradients(tape, variables, of: output, grad) }
    }
}
