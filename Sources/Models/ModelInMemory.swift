import Diffusion
import Networks

/// A network with its parameters and the noise levels that it was trained at, from a file or from memory. Audits need
/// it, and training on arrays returns it.
public struct ModelInMemory: Sendable {
    public let model: DiffusionModel
    public let parameters: ParameterMap
    package let noiseLevels: NoiseLevels
    /// Whether the network was also trained on mirrored photographs.
    package let flips: Bool
    /// The noise levels that samples of this model go through.
    package let sampledLevels: SampledLevels

    /// - Parameter sampledLevels: nil for the levels of the model's description.
    package init(
        model: DiffusionModel, parameters: ParameterMap, noiseLevels: NoiseLevels, flips: Bool,
        sampledLevels: SampledLevels? = nil
    ) {
        self.model = model
        self.sampledLevels = sampledLevels ?? SampledLevels(range: model.description.sampledSigmas)
        self.parameters = parameters
        self.noiseLevels = noiseLevels
        self.flips = flips
    }

    package init(_ loaded: LoadedModel) {
        let settings = loaded.trainedSettings
        self.init(
            model: loaded.model, parameters: loaded.parameters, noiseLevels: settings.noiseLevels,
            flips: settings.flips, sampledLevels: loaded.sampledLevels)
    }

    /// The width in pixels of the square photographs that the model draws.
    public var size: Int { model.description.width }
}
