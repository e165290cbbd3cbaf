import Diffusion
import Files
import Models
import Testing
import Training

/// What sampling reads of a training's configuration is what the training wrote.
@Suite struct TrainedSettingsTests {
    @Test func theyAreTheConfigurations() throws {
        var configuration = TrainingConfiguration()
        configuration.use(.dct(side: 8, colours: nil), .small, size: 256)
        configuration.flips = false
        configuration.fine.lowestNoise = 0.0075
        // As it is read again: YAML holds one digit less than a number may have.
        let yaml = try Configuration.yaml(configuration)
        configuration = try Configuration.decode(yaml, name: "config.yaml", over: TrainingConfiguration())
        let settings = TrainedSettings(configuration: yaml)
        #expect(settings.noiseLevels == configuration.noiseLevels && configuration.noiseLevels != NoiseLevels())
        #expect(!settings.flips && settings.lowestNoise == 0.0075)
        let description = configuration.description(CohortEncoding(attributes: []))
        #expect(
            description.sampledLevels(noiseLevels: settings.noiseLevels, lowestNoise: settings.lowestNoise)
                == configuration.sampledLevels(of: description))
    }

    /// Where nothing is said, or nothing that can be read, both take the same defaults.
    @Test(arguments: ["", "beta_schedule: scaled_linear", "{", "noiseLevels: 3"])
    func defaultsAreTheSame(_ text: String) {
        let settings = TrainedSettings(configuration: text), usual = TrainingConfiguration()
        #expect(settings.noiseLevels == usual.noiseLevels && settings.flips == usual.flips)
        #expect(settings.lowestNoise == usual.fine.lowestNoise)
    }
}
