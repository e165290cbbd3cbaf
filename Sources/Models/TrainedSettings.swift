import CheckpointStore
import Diffusion
import Yams

/// What sampling and audits need to know about the training of a model: a part of the configuration in its manifest.
/// Missing keys get their defaults, and other keys are ignored.
package struct TrainedSettings: Decodable, Sendable {
    private struct Expert: Decodable {
        let lowestNoise: Double?
    }

    /// The distribution of the first network's noise levels.
    package let noiseLevels: NoiseLevels
    /// Whether the model was also trained on mirrored photographs.
    package let flips: Bool
    /// The lowest deviation, on pixels, that the fine network was trained at.
    package let lowestNoise: Double

    package static let usualLowestNoise = 0.005

    private enum CodingKeys: CodingKey { case noiseLevels, flips, fine }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        noiseLevels = try container.decodeIfPresent(NoiseLevels.self, forKey: .noiseLevels) ?? NoiseLevels()
        flips = try container.decodeIfPresent(Bool.self, forKey: .flips) ?? true
        lowestNoise =
            try container.decodeIfPresent(Expert.self, forKey: .fine)?.lowestNoise
            ?? TrainedSettings.usualLowestNoise
    }

    private init() {
        (noiseLevels, flips, lowestNoise) = (NoiseLevels(), true, TrainedSettings.usualLowestNoise)
    }

    /// - Parameter configuration: YAML. If it cannot be read, as for an imported model, the defaults are used.
    package init(configuration: String) {
        self = (try? YAMLDecoder().decode(TrainedSettings.self, from: configuration)) ?? TrainedSettings()
    }
}

extension LoadedModel {
    package var trainedSettings: TrainedSettings { TrainedSettings(configuration: manifest.configuration) }

    /// The noise levels that samples of the model go through.
    package var sampledLevels: SampledLevels {
        let settings = trainedSettings
        return manifest.model.sampledLevels(noiseLevels: settings.noiseLevels, lowestNoise: settings.lowestNoise)
    }
}
