import CheckpointStore
import Diffusion
import Files
import Models
import Networks
import TensorCore

/// The output of a snapshot's network for a batch from other software: `sample` [N, C, H, W], `timesteps` [N], and,
/// where the network takes an embedding, `labels` [N] (rows of its table) or `class_embedding` [N, width].
public struct ModelProbe {
    private let model: LoadedModel
    private let sample: Tensor
    private let timesteps: [Float]
    private let embedding: Tensor?

    /// - Throws: `Failure(.badData)` that names the tensor which the batch lacks.
    public init(_ model: LoadedModel, batch: Safetensors, file: String) throws {
        func part(_ name: String) throws -> Tensor {
            guard let tensor = batch.tensors[name] else {
                throw Failure(.badData, file, field: name, expected: "a tensor of the batch", found: "none")
            }
            return tensor
        }
        self.model = model
        sample = permuted(try part("sample"), [0, 2, 3, 1])
        timesteps = try part("timesteps").elements
        let parameters = model.parameters.constants()
        embedding =
            batch.tensors["class_embedding"]
            ?? batch.tensors["labels"].flatMap { model.model.rows($0.elements.map { Int($0) }, parameters) }
    }

    /// The network's output as `output`, [N, C, H, W].
    public func results() -> Safetensors {
        let output = model.model.networkOutput(
            sample, timesteps: timesteps, embedding: embedding, model.parameters.constants())
        return Safetensors(tensors: ["output": permuted(output, [0, 3, 1, 2])], metadata: [:])
    }
}
