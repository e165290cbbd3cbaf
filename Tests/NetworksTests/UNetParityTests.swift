import Foundation
import Networks
import TensorCore
import TestTensors
import Testing

/// Whole UNets against diffusers in float64: the output, and the gradient of the input and of every parameter.
@Suite struct UNetParityTests {
    @Test(arguments: ["unet2d-base", "unet2d-classes", "unet2d-embedding"])
    func outputAndGradients(_ name: String) throws {
        let fixture = try #require(try Fixture.all(prefix: name).first)
        let config = try #require(fixture.birthCertificate["config"] as? [String: Any])
        let widths = try #require(config["block_out_channels"] as? [Int])
        let blocks = try #require(config["down_block_types"] as? [String])
        var configuration = UNetConfiguration(
            blockOutChannels: widths, attentionLevels: blocks.map { $0.hasPrefix("Attn") })
        configuration.layersPerBlock = try #require(config["layers_per_block"] as? Int)
        configuration.normGroups = try #require(config["norm_num_groups"] as? Int)
        configuration.attentionHeadDim = try #require(config["attention_head_dim"] as? Int)
        #expect(configuration.problem == nil)

        let registry = ParameterRegistry()
        let network = UNet(configuration, registry)
        let classes = (config["num_class_embeds"] as? Int).map {
            registry.register("class_embedding.weight", [$0, configuration.embeddingWidth], .plain, .constant(0))
        }
        let paths = Set(registry.specifications.map(\.path))
        let stored = fixture.tensors.filter { key, _ in
            !["input.", "grad.", "output", "gradOutput", "intermediate."].contains { key.hasPrefix($0) }
        }
        #expect(paths == Set(stored.keys))
        let parameters = try ParameterMap(
            registry.specifications, fileTensors: stored.mapValues(\.tensor), file: fixture.name)

        let tape = Tape()
        let bound = parameters.variables(on: tape)
        let sample = tape.variable(permuted(fixture["input.sample"].tensor, [0, 2, 3, 1]))
        var embedding: Variable?
        if let classes {
            embedding = bound[classes].embedding(fixture["input.classLabels"].values.map { Int($0) })
        } else if let stored = fixture.tensors["input.classEmbedding"] {
            embedding = tape.variable(stored.tensor)
        }
        let output = network(
            sample, timesteps: fixture["input.timestep"].values.map { Float($0) }, classEmbedding: embedding, bound)
        expectClose(permuted(output.tensor, [0, 3, 1, 2]), fixture["output"], within: 2e-5, "output")

        let gradients = tape.gradients(
            of: output, gradOutput: permuted(fixture["gradOutput"].tensor, [0, 2, 3, 1]),
            for: [sample] + bound.variables)
        expectClose(
            permuted(gradients[0], [0, 3, 1, 2]), fixture["grad.sample"], within: 1e-4, "gradient of the sample")
        let byPath = ParameterMap(registry.specifications, tensors: Array(gradients.dropFirst())).fileTensors()
        for (path, gradient) in byPath {
            // A key's bias moves all scores of a query alike, which softmax ignores: its gradient is 0 but for
            // rounding.
            if path.hasSuffix("to_k.bias") {
                #expect(gradient.sumOfSquares.squareRoot() <= 1e-4, "gradient of \(path)")
            } else {
                expectClose(gradient, fixture["grad.\(path)"], within: 1e-3, "gradient of \(path)")
            }
        }
    }

    /// Sinusoids against float64, of any order, shift and width.
    @Test func embeddingsOfTimesteps() throws {
        let fixtures = try Fixture.all(prefix: "timestep_embedding")
        #expect(fixtures.count == 3)
        for fixture in fixtures {
            var settings = TimeEmbeddingConfiguration()
            settings.sineFirst = try #require(fixture.parameters["flip_sin_to_cos"] as? Bool) == false
            settings.frequencyShift = try #require(fixture.parameters["freq_shift"] as? Double)
            let width = try #require(fixture.parameters["channels"] as? Int)
            let found = settings.sinusoid(fixture["input.timestep"].values.map { Float($0) }, width: width)
            expectClose(found, fixture["output"], within: 1e-6, fixture.name)
        }
    }

    @Test func baseHasTheParametersOfDiffusers() {
        let registry = ParameterRegistry()
        _ = UNet(Preset.base.configuration, registry)
        let count = registry.specifications.reduce(0) { $0 + $1.shape.reduce(1, *) }
        // diffusers' UNet2DModel with this configuration: 25,292,547 with the class table of 5 x 256, which is not part
        // here.
        #expect(abs(count - 25_300_000) < 100_000)
    }
}
