import Diffusion
import Networks

/// A network with parameters and the noise levels that it was trained at, from a file or not: what an audit needs, and
/// what a training on arrays gives.
public struct ModelInMemory: Sendable {
    public let model: DiffusionModel
    public let parameters: ParameterMap
    package let noiseLevels: NoiseLevels
    /// Whether it was trained on mirrored photographs, too.
    package let flips: Bool
    /// The levels that its samples go through.
    package let sampledLevels: SampledLevels

    /// - Parameter sampledLevels: nil for those of its description.
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

    /// Width of the square photographs that it sees, in pixels.
    public var size: Int { model.description.width }
}
