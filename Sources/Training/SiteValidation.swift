import Diffusion
import Files
import Foundation
import FundusData
import Networks
import TensorCore

/// Losses of models on photographs that they did not learn from, by patient: the same noise for every model, so that two of them can be
/// compared in pairs.
public struct SiteValidation: Sendable {
    private let model: DiffusionModel
    private let configuration: TrainingConfiguration
    private let photographs: TrainingSet
    /// Noise levels and noises a photograph.
    public let draws: Int
    /// Of each photograph.
    private let patients: [Int]
    public var patientCount: Int { Set(patients).count }
    public var photographCount: Int { photographs.count }

    /// - Parameters:
    ///   - model: brings network, space, attributes and, from its training, the distribution of noise levels.
    ///   - splits: whose photographs are measured.
    ///   - other: brings the noise levels instead, so that two models are measured at the same.
    public init(_ model: LoadedModel, data: [DatasetFile], splits: [Split] = [.validation], draws: Int = 3, noiseLevels other: LoadedModel? = nil) async throws {
        var configuration = TrainingConfiguration()
        configuration.start(from: other ?? model)
        let levels = configuration.noiseLevels
        configuration.start(from: model)
        configuration.noiseLevels = levels
        self.configuration = configuration
        self.model = model.model
        self.draws = draws
        var sets: [TrainingSet] = [], patients: [Int] = [], known: [String: Int] = [:]
        for (number, file) in data.enumerated() {
            for split in splits {
                sets.append(try await TrainingSet([file], split: split, size: configuration.size, encoding: model.manifest.model.cohort))
                for row in file.rows(of: split) {
                    let key = "\(number)/\(file.patients[row])", next = known.count
                    let patient = known[key] ?? next
                    known[key] = patient
                    patients.append(patient)
                }
            }
        }
        photographs = TrainingSet(joining: sets, size: configuration.size)
        self.patients = patients
    }

    /// Mean loss of each patient.
    public func losses(_ parameters: ParameterMap) -> [Double] {
        let each = model.validationLosses(parameters, photographs, configuration, draws: draws)
        return Dictionary(grouping: zip(patients, each)) { $0.0 }.sorted { $0.key < $1.key }.map { $0.value.reduce(0) { $0 + $1.1 } / Double($0.value.count) }
    }

    /// Mean loss over patients.
    public func loss(_ parameters: ParameterMap) -> Double {
        let all = losses(parameters)
        return all.isEmpty ? .nan : all.reduce(0, +) / Double(all.count)
    }
}

extension DiffusionModel {
    /// Mean loss of each photograph of `set` at noise levels and noises that are the same each time.
    ///
    /// - Parameter draws: noise levels a photograph, spread evenly over the training distribution.
    func validationLosses(_ parameters: ParameterMap, _ set: TrainingSet, _ configuration: TrainingConfiguration, draws: Int) -> [Double] {
        let parameters = parameters.constants(), shape = description.latentShape(1)
        var totals = [Double](repeating: 0, count: set.count)
        let jobs = (0..<set.count).flatMap { image in (0..<draws).map { (image, $0) } }
        for start in stride(from: 0, to: jobs.count, by: configuration.batchSize) {
            let part = jobs[start..<min(start + configuration.batchSize, jobs.count)]
            var noise: [Tensor] = [], sigma: [Float] = []
            for (image, draw) in part {
                var random = Philox(seed: 0, stream: .validationNoise, index: UInt64(image * draws + draw))
                // Stratified: every photograph gets one level of each of `draws` equal parts of the distribution.
                let quantile = (Double(draw) + random.nextUniform()) / Double(draws)
                sigma.append(configuration.noiseLevels.sigma(quantile: quantile))
                noise.append(Tensor(shape: shape) { random.fillNormal($0) })
            }
            let indices = part.map(\.0)
            let pictures = set.pictures(indices, mirrored: indices.map { _ in false })
            let losses = self.losses(
                clean: configuration.space.encoded(pictures), noise: stacked(noise), sigma: sigma, cohorts: indices.map { set.values[$0] }, parameters)
            for (index, loss) in zip(indices, losses.tensor.elements) { totals[index] += Double(loss) / Double(draws) }
        }
        return totals
    }
}
