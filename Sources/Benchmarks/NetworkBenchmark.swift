import CheckpointStore
import Files
import Networks
import Randomness
import TensorCore
import Training

/// A UNet with class labels as in diffusers' `UNet2DModel(num_class_embeds:)`, its optimizer and one batch. Forward
/// passes and whole training steps can be timed.
public final class NetworkBenchmark {
    public static let classes = 5

    private let network: UNet
    private let classTable: Int
    private var state: TrainingState
    private let batch: Batch
    /// Whether steps keep only the inputs of blocks; see `TrainingConfiguration.recompute`.
    public var recompute = false
    /// The parameters of forward passes, kept between them as a sampler does.
    private var constants: BoundParameters?

    /// The input of one pass.
    private struct Batch {
        /// [N, H, W, C]
        let sample: Tensor, target: Tensor
        let timesteps: [Float]
        let labels: [Int]
    }

    /// A benchmark with random parameters and pictures.
    public init(_ configuration: UNetConfiguration, batchSize: Int, size: Int) {
        let registry = ParameterRegistry()
        network = UNet(configuration, registry)
        classTable = NetworkBenchmark.registerClasses(registry, configuration)
        state = TrainingState(registry.specifications, seed: 1, averages: 1)
        func pictures(_ index: UInt64) -> Tensor {
            var random = Philox(seed: 1, stream: .trainingNoise, index: index)
            return Tensor(shape: [batchSize, size, size, configuration.inChannels]) { random.fillNormal($0) }
        }
        batch = Batch(
            sample: pictures(0), target: pictures(1), timesteps: (0..<batchSize).map { Float(100 * $0) },
            labels: (0..<batchSize).map { $0 % NetworkBenchmark.classes })
    }

    /// A benchmark with parameters under diffusers' names and a given batch: `sample` and `target` [N, C, H, W],
    /// `timesteps` and `labels` [N].
    /// - Throws: `Failure(.badData)` for weights that do not fit, or a tensor that the batch lacks.
    public init(_ configuration: UNetConfiguration, weights: Safetensors, batch: Safetensors, file: String) throws {
        let registry = ParameterRegistry()
        network = UNet(configuration, registry)
        classTable = NetworkBenchmark.registerClasses(registry, configuration)
        state = TrainingState(registry.specifications, seed: 1, averages: 1)
        state.parameters = try ParameterMap(registry.specifications, fileTensors: weights.tensors, file: file)
        func part(_ name: String) throws -> Tensor {
            guard let tensor = batch.tensors[name] else {
                throw Failure(.badData, file, field: name, expected: "a tensor of the batch", found: "none")
            }
            return tensor
        }
        self.batch = Batch(
            sample: permuted(try part("sample"), [0, 2, 3, 1]), target: permuted(try part("target"), [0, 2, 3, 1]),
            timesteps: try part("timesteps").elements, labels: try part("labels").elements.map { Int($0) })
    }

    private static func registerClasses(_ registry: ParameterRegistry, _ configuration: UNetConfiguration) -> Int {
        registry.register(
            "class_embedding.weight", [classes, configuration.embeddingWidth], .plain, .normal(deviation: 0.5))
    }

    private func output(_ parameters: BoundParameters) -> Variable {
        network(
            Variable(batch.sample), timesteps: batch.timesteps,
            classEmbedding: parameters[classTable].embedding(batch.labels), parameters)
    }

    /// Runs a forward pass without a tape, and returns [N, H, W, C].
    @discardableResult public func forward() -> Tensor {
        let parameters = constants ?? state.parameters.constants(reused: true)
        constants = parameters
        return output(parameters).tensor
    }

    private func gradients() -> [Tensor] {
        let tape = Tape()
        let parameters = state.parameters.variables(on: tape, recompute: recompute)
        let loss = (output(parameters) - Variable(batch.target)).squared().mean()
        return tape.gradients(of: loss, for: parameters.variables)
    }

    /// Takes a training step: mean squared error, its gradient, clipping, AdamW and the moving average.
    public func step() {
        constants = nil
        let gradients = gradients()
        let norm = gradients.reduce(0) { $0 + $1.sumOfSquares }.squareRoot()
        var settings = AdamSettings(learningRate: 1e-4, averageDecays: [0.999])
        settings.weightDecay = 0.01
        settings.gradientScale = Float(min(1, 1 / max(norm, 1e-12)))
        state.apply(gradients, settings, imagesSeen: state.imagesSeen + batch.sample.shape[0])
    }

    /// The output as `output` [N, C, H, W], and the gradient of every parameter under the parameter's name, for
    /// comparison with another implementation.
    public func results() -> Safetensors {
        var tensors = ParameterMap(state.parameters.specifications, tensors: gradients()).fileTensors()
        tensors["output"] = permuted(forward(), [0, 3, 1, 2])
        return Safetensors(tensors: tensors, metadata: [:])
    }
}
