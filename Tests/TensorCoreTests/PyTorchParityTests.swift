import TensorCore
import TestTensors
import Testing

/// Every operation against PyTorch in float64: the output and all gradients.
@Suite struct PyTorchParityTests {
    @Test func everyEntryHasFixturesAndEveryFixtureAnEntry() throws {
        let fixtures = Set(try Fixture.all(in: "ops").map(\.operation))
        #expect(fixtures == Set(operationTable.map(\.name)))
    }

    @Test(arguments: operationTable.map(\.name))
    func outputAndGradients(_ name: String) throws {
        let entry = try #require(operationTable.first { $0.name == name })
        let fixtures = try Fixture.all(in: "ops", prefix: name + "-")
        #expect(!fixtures.isEmpty)
        for fixture in fixtures {
            let tape = Tape()
            var inputs: [String: Variable] = [:]
            var parameters = fixture.parameters
            for (key, stored) in fixture.tensors where key.hasPrefix("input.") {
                let input = String(key.dropFirst("input.".count))
                if input == "indices" {
                    parameters["indices"] = stored.values.map { Int($0) }
                    parameters["indexShape"] = stored.shape
                } else {
                    inputs[input] = tape.variable(stored.tensor)
                }
            }
            let names = inputs.keys.sorted()
            let output = entry.run(inputs, parameters)
            expectClose(output.tensor, fixture["output"], within: entry.tolerance, "\(fixture.name): output")
            let gradients = tape.gradients(
                of: output, gradOutput: fixture["gradOutput"].tensor, for: names.map { inputs[$0]! })
            #expect(gradients.count == names.count, "\(fixture.name)")
            for (input, gradient) in zip(names, gradients) {
                expectClose(
                    gradient, fixture["grad.\(input)"], within: entry.tolerance, "\(fixture.name): gradient of \(input)"
                )
            }
        }
    }
}
