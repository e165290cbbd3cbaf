import CheckpointStore
import Files
import Networks
import Randomness
import TensorCore
import Training

/// A UNet with class labels as diffusers' `UNet2DModel(num_class_embeds:)` has them, its optimizer and one batch:
/// forward passes and whole training steps to be timed.
public final class NetworkBenchmark {
    public static let classes = 5

    private let network: UNet
    private let classTable: Int
    private var state: TrainingState
    private let batch: Batch
    /// Whether steps keep the inputs of blocks alone; see `TrainingConfiguration.recompute`.
    public var recompute = false
    /// Kept between forward passes, as a sampler keeps them.
    private var constants: BoundParameters?

    /// What one pass is given.
    private struct Batch {
        /// [N, H, W, C]
        let sample: Tensor, target: Tensor
        let timesteps: [Float]
        let labels: [Int]
    }

    /// Random parameters and pictures.
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

    /// Parameters under diffusers' names, and a batch: `sample` and `target` [N, C, H, W], `timesteps` and `labels`
    /// [N].
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

    /// A forward pass without a tape. [N, H, W, C]
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

    /// Mean squared error, its gradient, clipping, AdamW and the moving average.
    public func step() {
        constants = nil
        let gradients = gradients()
        let norm = gradients.reduce(0) { $0 + $1.sumOfSquares }.squareRoot()
        var settings = AdamSettings(learningRate: 1e-4, averageDecays: [0.999])
        settings.weightDecay = 0.01
        settings.gradientScale = Float(min(1, 1 / max(norm, 1e-12)))
        state.apply(gradients, settings, imagesSeen: state.imagesSeen + batch.sample.shape[0])
    }

    /// The output as `output` [N, C, H, W] and every parameter's gradient under its name: what another implementation
    /// is compared with.
    public func results() -> Safetensors {
        var tensors = ParameterMap(state.parameters.specifications, tensors: gradients()).fileTensors()
        tensors["output"] = permuted(forward(), [0, 3, 1, 2])
        return Safetensors(tensors: tensors, metadata: [:])
    }
}
