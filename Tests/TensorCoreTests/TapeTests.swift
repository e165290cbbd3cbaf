import TensorCore
import TestTensors
import Testing

@Suite(.serialized) struct TapeTests {
    /// d/dx of x * x + x over shared uses: gradients add up, and a pullback that hands one tensor to two inputs is
    /// safe.
    @Test func usesAddUp() {
        let tape = Tape()
        let x = tape.variable(Tensor([1, -2, 3], shape: [3]))
        let y = x * x + x + x
        #expect(tape.gradients(of: y, for: [x])[0].elements == [4, -2, 8])
    }

    @Test func whatTheOutputDoesNotUseHasZeros() {
        let tape = Tape()
        let x = tape.variable(Tensor([1, 2], shape: [2])), unused = tape.variable(Tensor([5], shape: [1]))
        let gradients = tape.gradients(of: x.squared().sum(), for: [x, unused])
        #expect(gradients[0].elements == [2, 4])
        #expect(gradients[1].elements == [0])
    }

    @Test func constantsAreNotRecorded() {
        let constant = Variable(Tensor([2], shape: [1]))
        #expect(!(constant * constant).isTracked)
        let tape = Tape()
        let x = tape.variable(Tensor([3], shape: [1]))
        #expect(tape.gradients(of: x * constant, for: [x])[0].elements == [2])
    }

    /// Activations go as the gradients come: the peak of a deep chain's backward pass stays near its forward's.
    /// Other suites share the allocator; the chain is large enough that what they hold does not matter.
    @Test func activationsAreFreedAtTheirLastUse() {
        let size = 1 << 22, links = 20
        let base = Allocator.statistics.bytesInUse
        let tape = Tape()
        let x = tape.variable(Tensor(repeating: 0.1, shape: [size]))
        var y = x
        for _ in 0..<links { y = y.silu() }
        let loss = y.sum()
        let forward = Allocator.statistics.bytesInUse - base
        #expect(tape.gradients(of: loss, for: [x])[0].count == size)
        let peak = Allocator.statistics.peakBytes - base
        #expect(Double(forward) >= 0.9 * Double(links * size * 4))
        // Were activations kept to the end, the gradients of all links would stand beside them: twice the forward's.
        #expect(Double(peak) <= 1.5 * Double(forward), "forward \(forward), peak \(peak)")
    }

    /// What a weight keeps (here 38 MB of transformed filters) goes with it. Other suites share the allocator; ten
    /// weights that stay would be 470 MB.
    @Test func derivedValuesGoWithTheirTensor() {
        let before = Allocator.statistics.bytesInUse
        let x = Variable(Tensor(repeating: 1, shape: [1, 4, 4, 512]))
        for _ in 0..<10 {
            let weight = Variable(Tensor(repeating: 0.01, shape: [3, 3, 512, 512]).keepingDerived())
            let output = x.convolution(weight, bias: nil, padding: 1)
            #expect(abs(output.tensor.elements[0] / (4 * 512 * 0.01) - 1) <= 1e-5)
        }
        let grown = Allocator.statistics.bytesInUse - before
        #expect(grown < 235_000_000, "\(grown)")
    }
}
