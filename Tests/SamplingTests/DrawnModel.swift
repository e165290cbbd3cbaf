import CheckpointStore
import Diffusion
import Models
import Networks
import Randomness
import Support
import TensorCore
import Testing
import Training

extension LoadedModel {
    /// A model all of whose parameters are drawn, the last layer's too, so that samples differ; its file is in
    /// `folder`.
    static func drawn(_ description: ModelDescription, in folder: TemporaryFolder) throws -> LoadedModel {
        var parameters = ParameterMap(DiffusionModel(description).specifications, seed: 1)
        for (number, tensor) in parameters.tensors.enumerated() where tensor.sumOfSquares == 0 {
            var random = Philox(seed: 2, stream: .tests, index: UInt64(number))
            parameters.tensors[number] = Tensor(
                tensor.elements.map { _ in Float(0.2 * random.nextNormal()) }, shape: tensor.shape)
        }
        let path = folder.file("model.safetensors")
        try ModelFile(
            manifest: Manifest(
                kind: .snapshot, model: description, cohortSchemaVersion: 1, imagesSeen: 0, trainingData: [.ofTests],
                licence: "CC BY 4.0", attributions: ["nobody"], configuration: "", toolVersion: "test"),
            tensors: parameters.fileTensors()
        ).write(path, as: .f32, force: false)
        return try LoadedModel(contentsOf: path)
    }
}

extension ModelDescription {
    /// A tiny model of two networks, and the guiding one unless it is left out.
    static func ofTwoNetworks(size: Int = 32, hasGuiding: Bool = true) -> ModelDescription {
        var settings = TrainingConfiguration()
        settings.size = size
        settings.use(.dct(side: 4, colours: .identity), .tiny, size: size)
        settings.fine.space = .dct(side: 2, colours: .identity)
        settings.preconditioning.channelDeviations = [Float](repeating: 0.1, count: 48)
        settings.fine.preconditioning.channelDeviations = [Float](repeating: 0.1, count: 12)
        settings.guiding.preconditioning.channelDeviations = [Float](repeating: 0.1, count: 48)
        if !hasGuiding { settings.guiding.highestNoise = 0 }
        let description = settings.description(CohortEncoding(attributes: ["dr_icdr"]))
        #expect(description.problem == nil)
        #expect((description.guiding != nil) == hasGuiding)
        return description
    }
}

extension TrainingData {
    /// What a model of these tests says that it was trained on.
    static let ofTests = TrainingData(
        digest: String(repeating: "ab", count: 32), site: "here", licence: "CC BY 4.0", source: "drawn",
        cohortCounts: ["dr_icdr": ["2": 5, "3": 10, "0": 5]], patients: 5,
        combinations: [["dr_icdr": "2"], ["dr_icdr": "3"], ["dr_icdr": "unknown"]])
}
