import Diffusion
import Files
import Foundation

/// `scheduler_config.json` of a diffusers folder: the noise levels that the network was trained with, and what it
/// predicts.
///
/// Diffusers' schedulers of timesteps and betas share these keys. How a scheduler steps is not a property of the model,
/// so any of them can be read.
struct DiffusersScheduler: Codable {
    var className: String? = "DDPMScheduler"
    var numTrainTimesteps: Int? = 1000
    var betaStart: Double? = 0.0001
    var betaEnd: Double? = 0.02
    var betaSchedule: String? = "linear"
    var predictionType: String? = "epsilon"
    var trainedBetas: [Double]?
    var rescaleBetasZeroSnr: Bool? = false

    private enum CodingKeys: String, CodingKey {
        case className = "_class_name", numTrainTimesteps = "num_train_timesteps", betaStart = "beta_start", betaEnd =
            "beta_end"
        case betaSchedule = "beta_schedule", predictionType = "prediction_type", trainedBetas = "trained_betas"
        case rescaleBetasZeroSnr = "rescale_betas_zero_snr"
    }

    init(_ noise: DiscreteNoise) {
        numTrainTimesteps = noise.timesteps
        betaStart = noise.betaStart
        betaEnd = noise.betaEnd
        betaSchedule = noise.schedule.rawValue
        predictionType = noise.prediction.rawValue
    }

    /// Reads the file at `path`. A key that is missing or null gets diffusers' default.
    /// - Throws: `Failure`: `.badData` that names the key; errors of reading.
    static func noise(contentsOf path: String) throws -> DiscreteNoise {
        let found = try JSONText.decode(DiffusersScheduler.self, try JSONText.contents(path), place: path)
        func refuse(_ key: CodingKeys, _ expected: String, _ found: String) -> Failure {
            Failure(.badData, path, field: key.rawValue, expected: expected, found: found)
        }
        // Schedulers of noise levels without timesteps (EDM's, flow matching's) have other keys, which would be ignored
        // silently.
        let name = found.className ?? "DDPMScheduler"
        if ["EDM", "Flow", "CM", "ScoreSde", "Karras", "IPNDM", "VQ", "Amused"].contains(where: { name.hasPrefix($0) })
        {
            throw refuse(.className, "a scheduler of timesteps and betas, such as DDPMScheduler", name)
        }
        guard found.trainedBetas == nil else { throw refuse(.trainedBetas, "null", "numbers") }
        guard found.rescaleBetasZeroSnr != true else { throw refuse(.rescaleBetasZeroSnr, "false", "true") }
        var noise = DiscreteNoise()
        noise.timesteps = found.numTrainTimesteps ?? noise.timesteps
        noise.betaStart = found.betaStart ?? noise.betaStart
        noise.betaEnd = found.betaEnd ?? noise.betaEnd
        func choice<Value: RawRepresentable & CaseIterable>(
            _ key: CodingKeys, _ text: String?, _ standard: Value
        ) throws -> Value where Value.RawValue == String {
            guard let text else { return standard }
            guard let value = Value(rawValue: text) else {
                throw refuse(key, Value.allCases.map(\.rawValue).joined(separator: ", "), text)
            }
            return value
        }
        noise.schedule = try choice(.betaSchedule, found.betaSchedule, DiscreteNoise.BetaSchedule.linear)
        noise.prediction = try choice(.predictionType, found.predictionType, DiscreteNoise.Prediction.epsilon)
        if let problem = noise.problem {
            let named = [("timesteps", "num_train_timesteps"), ("betaStart", "beta_start"), ("betaEnd", "beta_end")]
                .reduce(problem) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
            throw Failure(.badData, path, named)
        }
        return noise
    }
}
