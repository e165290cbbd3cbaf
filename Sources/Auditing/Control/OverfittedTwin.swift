import CheckpointStore
import Cohorts
import Datasets
import Diffusion
import Files
import Foundation
import Models
import Networks
import Randomness
import TensorCore
import Training

/// A positive control: a model that was trained on a few patients until it copies them. A copy test that does not catch
/// these copies has no power.
package struct OverfittedTwin: Sendable {
    /// The trained model, whose samples are nearly photographs of `parts`.
    package let model: ModelInMemory
    /// The photographs that the model was trained on.
    package let parts: [(dataset: DatasetFile, rows: [Int])]
    package let patients: Int
    package let imagesSeen: Int

    /// The settings of a twin.
    package struct Settings: Codable, Hashable, Sendable {
        /// How many patients the twin learns by heart.
        package var patients = 8
        /// How many images the twin sees in all; nil for 4,000.
        package var images: Int?
        package var seed: UInt64 = 0

        package init() {}
    }

    /// Trains a twin.
    /// - Parameters:
    ///   - datasets: data sets whose train splits hold the patients to copy.
    ///   - size: the width of the pictures; where `audited` is given, that model's own size is used.
    ///   - audited: the model whose architecture and weights the twin starts from.
    ///   - report: is given the number of images seen and of all images; if it returns false, the training ends there.
    /// - Throws: `Failure(.badData)` where there is no photograph; `Failure(.usage)` where the settings ask for no
    ///   patient or no image, or no network takes the size; what `report` throws.
    package static func train(
        on datasets: [DatasetFile], size: Int, audited: LoadedModel? = nil, _ settings: Settings = Settings(),
        report: (Int, Int) throws -> Bool = { _, _ in true }
    ) async throws -> OverfittedTwin {
        let plan = try Plan(datasets, size: size, audited: audited, settings)
        var photographs = try await TrainingSet(plan.parts, size: plan.training.size, encoding: plan.encoding)
        photographs.measure(plan.training.space.maps)
        var seen = 0
        let model = try MemoryTraining.run(
            plan.training, encoding: plan.encoding, on: photographs.withoutCohorts, from: audited?.parameters
        ) { step in
            seen = step.imagesSeen
            return try report(seen, plan.training.images)
        }
        return OverfittedTwin(model: model, parts: plan.parts, patients: plan.patients, imagesSeen: seen)
    }

    /// How long `train` takes, in seconds, estimated from the last of three steps, whose weights are discarded.
    /// - Throws: the failures of `train`.
    package static func estimatedSeconds(
        on datasets: [DatasetFile], size: Int, audited: LoadedModel? = nil, _ settings: Settings = Settings()
    ) async throws -> Double {
        let plan = try Plan(datasets, size: size, audited: audited, settings)
        var photographs = try await TrainingSet(plan.parts, size: plan.training.size, encoding: plan.encoding)
        photographs.measure(plan.training.space.maps)
        let clock = ContinuousClock()
        var last = clock.now, took = Duration.zero, steps = 0
        // The first step also makes buffers, so that it takes longer.
        _ = try MemoryTraining.run(
            plan.training, encoding: plan.encoding, on: photographs.withoutCohorts, from: audited?.parameters
        ) { _ in
            took = clock.now - last
            last = clock.now
            steps += 1
            return steps < 3
        }
        return took.inSeconds * Double(plan.training.images) / Double(plan.training.batchSize)
    }
}

extension OverfittedTwin {
    /// How the twin is trained, and on which photographs.
    struct Plan {
        let training: TrainingConfiguration
        let encoding: CohortEncoding
        let parts: [(dataset: DatasetFile, rows: [Int])]
        let patients: Int

        init(_ datasets: [DatasetFile], size: Int, audited: LoadedModel?, _ settings: Settings) throws {
            guard settings.patients > 0, settings.images.map({ $0 > 0 }) ?? true else {
                throw Failure(.usage, nil, "positive control: expected at least one patient and one image")
            }
            var chosen: [[Int]] = [], all: [(Int, String)] = []
            for (place, file) in datasets.enumerated() {
                chosen.append([])
                var known: Set<String> = []
                for row in file.rows(of: .train) where known.insert(file.patients[row]).inserted {
                    all.append((place, file.patients[row]))
                }
            }
            guard !all.isEmpty else {
                throw Failure(
                    .badData, datasets.map(\.path).joined(separator: ", "), "the train split holds no photograph")
            }
            var random = Philox(seed: settings.seed, stream: .auditSplit, index: 0)
            let some = random.permutation(all.count).prefix(settings.patients).sorted().map { all[$0] }
            for (place, file) in datasets.enumerated() {
                let keys = Set(some.filter { $0.0 == place }.map(\.1))
                chosen[place] = file.rows(of: .train).filter { keys.contains(file.patients[$0]) }
            }
            parts = zip(datasets, chosen).map { ($0, $1) }.filter { !$0.1.isEmpty }
            patients = some.count
            var training = TrainingConfiguration()
            if let audited { training = TrainingConfiguration(trainedAs: audited) } else { training.fit(size) }
            training.memorize(images: settings.images, seed: settings.seed, startsFromModel: audited != nil)
            self.training = training
            encoding = audited?.manifest.model.cohort ?? CohortEncoding(attributes: [])
        }
    }
}

extension TrainingConfiguration {
    /// Chooses a network for pictures of this size: a tiny one below 64 pixels, and wavelets above 128 pixels.
    mutating func fit(_ size: Int) {
        use((size > 128 ? LatentSpace.Family.wavelet : .pixels).space(size: size), size < 64 ? .tiny : .small)
        self.size = size
        attributes = []
    }

    /// Makes the training learn by heart: no mirror images, no dropped conditions, small batches, a high learning rate,
    /// and a short average.
    mutating func memorize(images: Int?, seed: UInt64, startsFromModel: Bool) {
        self.images = images ?? 4_000
        self.seed = seed
        flips = false
        augmentedShare = 0
        conditionDropout = 0
        batchSize = 4
        learningRate = startsFromModel ? 1e-3 : 2e-3
        warmUpImages = 200
        decayAfterImages = 40_000
        weightDecay = 0
        averageLengths = [0.05]
    }
}
