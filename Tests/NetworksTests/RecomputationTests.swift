import Networks
import TensorCore
import TestTensors
import Testing

@Suite struct RecomputationTests {
    /// Blocks that run again in the backward pass give the same bytes: values and every gradient.
    @Test func recomputationChangesNothing() {
        let registry = ParameterRegistry()
        let network = UNet(Preset.tiny.configuration, registry)
        // Random throughout: some layers start at 0, and hide what comes before them.
        let parameters = ParameterMap(
            registry.specifications,
            tensors: registry.specifications.enumerated().map {
                randomTensor($1.shape, seed: UInt64(10 + $0), scale: 0.1)
            })
        let x = randomTensor([2, 16, 16, 3], seed: 1), embedding = randomTensor([2, 64], seed: 2)
        func run(recompute: Bool) -> [[Float]] {
            let tape = Tape()
            let bound = parameters.variables(on: tape, recompute: recompute)
            let condition = tape.variable(embedding)
            let output = network(Variable(x), timesteps: [1, 500], classEmbedding: condition, bound)
            let gradients = tape.gradients(
                of: output, gradOutput: randomTensor(output.shape, seed: 3), for: [condition] + bound.variables)
            return [output.tensor.elements] + gradients.map(\.elements)
        }
        let kept = run(recompute: false), recomputed = run(recompute: true)
        let areEqual = kept == recomputed
        #expect(areEqual)
        let areThere = kept.allSatisfy { $0.contains { $0 != 0 } }
        #expect(areThere)
    }

    /// The count that the benchmarks divide by: 17.8 GFLOP for the base preset at 64 x 64 (PyTorch's flop counter).
    @Test func operationsOfTheBasePreset() {
        let operations = Preset.base.configuration.forwardOperations(height: 64, width: 64)
        #expect(abs(operations / 17.8e9 - 1) <= 0.01, "\(operations)")
    }
}
