import CheckpointStore
import Diffusion
import Files
import Foundation

/// `log.jsonl`: one JSON object in each line, appended during training.
package final class TrainingLog {
    private let path: String
    private let file: FileHandle

    struct Line: Codable {
        var images_seen: Int
        var loss: Double?
        /// The parts of the loss from the networks after the first.
        var middle_loss: Double?
        var fine_loss: Double?
        var guiding_loss: Double?
        var gradient_norm: Double?
        var learning_rate: Float?
        var images_per_second: Double?
        /// The validation loss of the moving average with the lowest loss.
        var validation_loss: Double?
        /// The validation losses of all moving averages, in the order of `averageLengths`.
        var validation_losses: [Double]?
        /// The training loss by noise level since the last line with this key.
        var loss_by_sigma: [LossByNoise.Part]?
        var denoising_errors: [DenoisingError]?
    }

    /// - Parameter keepingUpTo: lines of later steps are dropped, because those steps will be taken again.
    init(_ path: String, keepingUpTo imagesSeen: Int) throws {
        self.path = path
        var kept = Data()
        if let data = FileManager.default.contents(atPath: path) {
            for line in data.split(separator: 0x0A) {
                guard let parsed = try? JSONDecoder().decode(Line.self, from: Data(line)),
                    parsed.images_seen <= imagesSeen
                else { continue }
                kept += line + [0x0A]
            }
        }
        let staged = try StagedFile(path, force: true)
        try staged.write(kept)
        try staged.commit()
        guard let file = FileHandle(forWritingAtPath: path) else {
            throw Failure(.readOrWriteFailed, path, "could not be opened for writing")
        }
        self.file = file
        _ = try? file.seekToEnd()
    }

    func append(_ step: TrainingStep, imagesPerSecond: Double) throws {
        try append(
            Line(
                images_seen: step.imagesSeen, loss: step.loss, middle_loss: step.expertLosses["middle"],
                fine_loss: step.expertLosses["fine"],
                guiding_loss: step.expertLosses[ModelDescription.guidingName], gradient_norm: step.gradientNorm,
                learning_rate: step.learningRate,
                images_per_second: imagesPerSecond))
    }

    func append(validationLosses: [Double], errors: [DenoisingError], byNoise: LossByNoise, imagesSeen: Int) throws {
        try append(
            Line(
                images_seen: imagesSeen, validation_loss: validationLosses.min(), validation_losses: validationLosses,
                loss_by_sigma: byNoise.parts, denoising_errors: errors))
    }

    /// All lines so far.
    func lines() -> [Line] {
        (FileManager.default.contents(atPath: path) ?? Data()).split(separator: 0x0A).compactMap {
            try? JSONDecoder().decode(Line.self, from: Data($0))
        }
    }

    /// The denoising errors that the log beside a run's weights has for these weights; empty where there is no log.
    package static func selfTest(of weights: String, imagesSeen: Int) -> [ParcelStatement.SelfTest] {
        let log = URL(fileURLWithPath: weights).deletingLastPathComponent().appendingPathComponent("log.jsonl").path
        let lines = (FileManager.default.contents(atPath: log) ?? Data()).split(separator: 0x0A).compactMap {
            try? JSONDecoder().decode(Line.self, from: Data($0))
        }
        let errors = lines.last { $0.images_seen <= imagesSeen && $0.denoising_errors != nil }?.denoising_errors ?? []
        return errors.map { ParcelStatement.SelfTest(sigma: $0.sigma, error: $0.error) }
    }

    private func append(_ line: Line) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do {
            try file.write(contentsOf: encoder.encode(line) + [0x0A])
        } catch {
            throw Failure(.readOrWriteFailed, path, "could not be written: \(SystemReason.text(error))")
        }
    }
}

/// The training loss by noise level: means over parts of the distribution that are equally likely.
struct LossByNoise {
    struct Part: Codable {
        /// The lowest noise level of the part; the part ends where the next one begins.
        let sigma: Double
        let images: Int
        let loss: Double?
    }

    private static let count = 8
    /// The lower bounds of the parts; the first is 0.
    private let bounds: [Double]
    private var sums = [Double](repeating: 0, count: LossByNoise.count)
    private var images = [Int](repeating: 0, count: LossByNoise.count)

    init(_ levels: NoiseLevels) {
        bounds =
            [0]
            + (1..<LossByNoise.count).map {
                Double(levels.sigma(quantile: Double($0) / Double(LossByNoise.count)))
            }
    }

    mutating func add(_ step: TrainingStep) {
        for (sigma, loss) in zip(step.sigmas, step.losses) {
            let part = bounds.lastIndex { Double(sigma) >= $0 } ?? 0
            sums[part] += Double(loss)
            images[part] += 1
        }
    }

    var parts: [Part] {
        bounds.indices.map {
            Part(sigma: bounds[$0], images: images[$0], loss: images[$0] > 0 ? sums[$0] / Double(images[$0]) : nil)
        }
    }
}
