import ArgumentParser
import CheckpointStore
import Datasets
import Diffusion
import Files
import Foundation
import Models
import Statistics
import Training

struct ValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Losses of a model on patients that it did not learn from; of two models, patient by patient.",
        discussion: """
            A site asks whether the merged model is better for its own patients than the model that it trained alone. \
            Both see the same noise.

            Example: fovea validate merged.safetensors --against run/snapshot.safetensors --data site.h5
            """)

    @Argument(help: ArgumentHelp("A snapshot.", valueName: "snapshot"))
    var model: String

    @Option(help: ArgumentHelp("Another snapshot, of pictures of the same size.", valueName: "snapshot"))
    var against: String?

    @Option(help: ArgumentHelp("A data set; may be given several times.", valueName: "site.h5"))
    var data: [String]

    @Option(help: "Whose patients: validation or holdout (default: validation).")
    var split: SplitOption = .validation

    @Option(help: ArgumentHelp("Noise levels and noises a photograph (default: 64).", valueName: "n"))
    var draws: Int = 64

    @OptionGroup var common: CommonOptions

    enum SplitOption: String, CaseIterable, ExpressibleByArgument { case validation, holdout }

    func validate() throws {
        if data.isEmpty { throw ValidationError("--data: expected at least one data set") }
        if draws < 1 { throw ValidationError("--draws: expected at least 1, found \(draws)") }
    }

    private struct Result: Encodable {
        let patients: Int
        let loss: Double
        let other: Double?
        /// The model minus the other, with the 95 % interval over patients.
        let difference, low, high: Double?
    }

    func run() async throws {
        common.apply()
        var files: [DatasetFile] = []
        for path in data {
            try FileProbe.check(path)
            files.append(try await DatasetFile.open(path))
        }
        let first = try LoadedModel(contentsOf: model), second = try against.map { try LoadedModel(contentsOf: $0) }
        if let second,
            (second.manifest.model.width, second.manifest.model.height) != (
                first.manifest.model.width, first.manifest.model.height
            )
        {
            throw Failure(
                .badData, second.path, field: "model",
                expected: "pictures of \(first.manifest.model.width) x \(first.manifest.model.height)",
                found: "\(second.manifest.model.width) x \(second.manifest.model.height)")
        }
        func handovers(_ model: LoadedModel) -> [Float] { model.manifest.model.experts.map(\.network.highestNoise) }
        if let second, handovers(second) != handovers(first) {
            func text(_ model: LoadedModel) -> String {
                let levels = handovers(model)
                return levels.isEmpty
                    ? "one network"
                    : """
                    \(levels.count + 1) networks with handovers at \
                    \(levels.map { "\($0)" }.joined(separator: " and "))
                    """
            }
            throw Failure(
                .badData, second.path, field: "model", expected: "\(text(first)), so that losses compare",
                found: text(second))
        }
        func losses(_ loaded: LoadedModel) async throws -> [Double] {
            // The first model's noise levels for both.
            try await SiteValidation(
                loaded, data: files, splits: [split == .validation ? .validation : .holdout], draws: draws,
                noiseLevels: first
            ).losses(loaded.parameters)
        }
        let own = try await losses(first)
        guard !own.isEmpty else { throw Failure(.badData, data[0], "the \(split.rawValue) split holds no photograph") }
        let mean = own.reduce(0, +) / Double(own.count)
        guard let second else {
            return try common.console.finish(
                Result(patients: own.count, loss: mean, other: nil, difference: nil, low: nil, high: nil),
                ["\(model): loss \(mean.short) on \(own.count) \(split.rawValue) patients, \(draws) draws"])
        }
        let paired = PairedDifference(own, try await losses(second))
        try common.console.finish(
            Result(
                patients: own.count, loss: mean, other: mean - paired.mean, difference: paired.mean, low: paired.low,
                high: paired.high),
            [
                "\(model): loss \(mean.short) on \(own.count) \(split.rawValue) patients, \(draws) draws",
                "\(second.path): loss \((mean - paired.mean).short)",
                """
                difference \(paired.mean.short), 95 % interval over patients \(paired.low.short) to \
                \(paired.high.short): 
                """
                    + (paired.high < 0
                        ? "the first is better"
                        : paired.low > 0 ? "the second is better" : "neither is better beyond doubt"),
            ])
    }
}
