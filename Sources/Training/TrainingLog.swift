import Files
import Foundation

/// `log.jsonl`: one JSON object a line, appended as training goes on.
final class TrainingLog {
    private let path: String
    private let file: FileHandle

    private struct Line: Codable {
        var images_seen: Int
        var loss: Double?
        var gradient_norm: Double?
        var learning_rate: Float?
        var images_per_second: Double?
        var validation_loss: Double?
    }

    /// - Parameter keepingUpTo: lines of later steps are dropped, because those steps are taken again.
    init(_ path: String, keepingUpTo imagesSeen: Int) throws {
        self.path = path
        var kept = Data()
        if let data = FileManager.default.contents(atPath: path) {
            for line in data.split(separator: 0x0A) {
                guard let parsed = try? JSONDecoder().decode(Line.self, from: Data(line)), parsed.images_seen <= imagesSeen
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
                images_seen: step.imagesSeen, loss: step.loss, gradient_norm: step.gradientNorm,
                learning_rate: step.learningRate, images_per_second: imagesPerSecond))
    }

    func append(validationLoss: Double, imagesSeen: Int) throws {
        try append(Line(images_seen: imagesSeen, validation_loss: validationLoss))
    }

    private func append(_ line: Line) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do {
            try file.write(contentsOf: encoder.encode(line) + [0x0A])
        } catch {
            throw Failure(.readOrWriteFailed, path, "could not be written: \((error as NSError).localizedDescription)")
        }
    }
}
