import CheckpointStore
import Datasets
import Diffusion
import Files
import Foundation
import Models
import Networks
import Randomness
import TensorCore

/// Losses of models on photographs that they were not trained on, by patient. Every model is given the same noise, so
/// that two models can be compared in pairs.
public struct SiteValidation: Sendable {
    private let model: DiffusionModel
    private let configuration: TrainingConfiguration
    private let photographs: TrainingSet
    /// The number of noise levels, each with its own noise, for each photograph.
    public let draws: Int
    /// The number of the patient of each photograph.
    private let patients: [Int]
    public var patientCount: Int { Set(patients).count }
    public var photographCount: Int { photographs.count }

    /// - Parameters:
    ///   - model: gives network, space, attributes and, unless `noiseLevels` is given, the distribution of noise
    ///     levels.
    ///   - splits: the splits whose photographs are measured.
    ///   - other: gives the noise levels instead, so that two models are measured at the same levels.
    /// - Throws: `Failure(.badData)` where a data set is smaller than the model's pictures; errors of reading.
    public init(
        _ model: LoadedModel, data: [DatasetFile], splits: [Split] = [.validation], draws: Int = 3,
        noiseLevels other: LoadedModel? = nil
    ) async throws {
        var configuration = TrainingConfiguration()
        configuration.start(from: other ?? model)
        let before = configuration
        configuration.start(from: model)
        configuration.noiseLevels = before.noiseLevels
        if configuration.middle.isUsed, before.middle.isUsed {
            configuration.middle.lowestNoise = before.middle.lowestNoise
        }
        if configuration.fine.isUsed, before.fine.isUsed { configuration.fine.lowestNoise = before.fine.lowestNoise }
        self.configuration = configuration
        self.model = model.model
        self.draws = draws
        var sets: [TrainingSet] = [], patients: [Int] = [], known: [String: Int] = [:]
        for (number, file) in data.enumerated() {
            for split in splits {
                sets.append(
                    try await TrainingSet(
                        [file], split: split, size: configuration.size, encoding: model.manifest.model.cohort))
                for row in file.rows(of: split) {
                    let key = "\(number)/\(file.patients[row])", next = known.count
                    let patient = known[key] ?? next
                    known[key] = patient
                    patients.append(patient)
                }
            }
        }
        var photographs = TrainingSet(joining: sets, size: configuration.size)
        photographs.measure(configuration.space.maps)
        self.photographs = photographs
        self.patients = patients
    }

    /// The mean loss of each patient.
    public func losses(_ parameters: ParameterMap) -> [Double] {
        let each = model.validationLosses(parameters, photographs, configuration, draws: draws)
        let rows = Dictionary(grouping: patients.indices) { patients[$0] }
        return rows.sorted { $0.key < $1.key }.map { _, rows in
            let sum = rows.reduce(0.0) { $0 + each[$1] }
            return sum / Double(rows.count)
        }
    }

    /// The mean loss over patients; NaN where there are none.
    public func loss(_ parameters: ParameterMap) -> Double {
        let all = losses(parameters)
        return all.isEmpty ? .nan : all.reduce(0, +) / Double(all.count)
    }
}

/// One noise level with its noise, for one photograph in a validation.
private struct ValidationDraw {
    let image: Int
    /// The index of the part of the distribution of noise levels, and the number of parts.
    let part: Int, parts: Int
    /// The number of the network that denoises the level.
    let expert: Int
    /// The number of the draw's random stream.
    let number: Int

    /// The noise level, in the model's space. Draws are stratified: every photograph gets one level from each part.
    func sigma(_ random: inout Philox, _ configuration: TrainingConfiguration, _ description: ModelDescription) -> Float
    {
        let quantile = (Double(part) + random.nextUniform()) / Double(parts)
        let handovers = description.handovers
        let lowest = expert < handovers.count ? handovers[expert].nextUp : 0
        guard expert > 0 else { return max(lowest, configuration.noiseLevels.sigma(quantile: quantile)) }
        let training = configuration.experts[expert - 1].training
        let scale = description.space.noiseScale / training.space.noiseScale
        return min(handovers[expert - 1], max(lowest, training.noiseLevels.sigma(quantile: quantile) * scale))
    }
}

extension DiffusionModel {
    /// The mean loss of each photograph of `set`, at noise levels and noises that are the same in every call. For a
    /// model of several networks it is the sum of their mean losses, as in training.
    ///
    /// - Parameter draws: the number of noise levels for each photograph and network, spread evenly over the training
    ///   distribution.
    func validationLosses(
        _ parameters: ParameterMap, _ set: TrainingSet, _ configuration: TrainingConfiguration, draws: Int
    ) -> [Double] {
        let parameters = parameters.constants(), shape = description.latentShape(1)
        var totals = [Double](repeating: 0, count: set.count)
        let jobs = experts.indices.flatMap { expert in
            (0..<set.count * draws).map { number in
                ValidationDraw(
                    image: number / draws, part: number % draws, parts: draws, expert: expert,
                    number: number + expert * set.count * draws)
            }
        }
        for start in stride(from: 0, to: jobs.count, by: configuration.batchSize) {
            let batch = jobs[start..<min(start + configuration.batchSize, jobs.count)]
            var noise: [Tensor] = [], sigma: [Float] = []
            for draw in batch {
                var random = Philox(seed: 0, stream: .validationNoise, index: UInt64(draw.number))
                sigma.append(draw.sigma(&random, configuration, description))
                noise.append(Tensor(shape: shape) { random.fillNormal($0) })
            }
            let indices = batch.map(\.image)
            let pictures = set.pictures(indices, mirrored: indices.map { _ in false })
            let losses = self.losses(
                clean: configuration.space.encoded(pictures), noise: stacked(noise), sigma: sigma,
                cohorts: indices.map { set.values[$0] }, parameters)
            for (index, loss) in zip(indices, losses.tensor.elements) { totals[index] += Double(loss) / Double(draws) }
        }
        return totals
    }
}
