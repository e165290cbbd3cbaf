import CheckpointStore
import Diffusion
import Files
import Networks
import TensorCore
import Training

/// A snapshot ready to sample from.
public struct LoadedModel: Sendable {
    public let path: String
    /// SHA-256 of the file's bytes.
    public let digest: Digest
    public let manifest: Manifest<ModelDescription>
    public let model: DiffusionModel
    public let parameters: ParameterMap

    /// - Throws: `Failure`: `.noSuchInput`; `.badData` where it is not a snapshot, or names what does not fit.
    public init(contentsOf path: String) throws {
        var (file, digest) = try ModelFile.read(path, kind: .snapshot)
        if let problem = file.manifest.model.problem { throw Failure(.badData, path, "manifest: model.\(problem)") }
        self.path = path
        self.digest = digest
        manifest = file.manifest
        model = DiffusionModel(file.manifest.model)
        let tensors = file.tensors
        file.tensors = [:]
        parameters = try ParameterMap(model.specifications, fileTensors: tensors, file: path)
        for (specification, tensor) in zip(parameters.specifications, parameters.tensors) where !tensor.isFinite {
            throw Failure(.badData, path, field: specification.path, expected: "finite numbers", found: "infinity or NaN")
        }
    }
}
