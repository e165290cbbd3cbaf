import CheckpointStore
import Datasets
import Diffusion
import Files
import Models
import Statistics
import Training

/// Measures the losses of a model on patients that it did not learn from. Two models are compared patient by patient,
/// on the same noise.
public struct ValidateJob: Job {
    /// The split whose patients are used.
    public enum Patients: String, CaseIterable, Sendable { case validation, holdout }

    /// A snapshot, and another snapshot to compare it with, for pictures of the same size.
    public var model: String, against: String?
    public var data: [String]
    public var patients = Patients.validation
    /// How many noise levels and noises are drawn for each photograph.
    public var draws = 64

    public init(_ model: String, data: [String]) {
        self.model = model
        self.data = data
    }

    public struct Outcome: JobOutcome {
        public let patients: Int
        public let loss: Double
        /// The other model's loss; nil without another model.
        public let other: Double?
        /// The model's loss minus the other's, with the 95 % interval over patients.
        public let difference, low, high: Double?
        fileprivate let names: (model: String, other: String), what: String

        private enum CodingKeys: String, CodingKey { case patients, loss, other, difference, low, high }

        public var lines: [String] {
            let own = "\(names.model): loss \(loss.short) on \(patients) \(what)"
            guard let other, let difference, let low, let high else { return [own] }
            let verdict =
                high < 0 ? "the first is better" : low > 0 ? "the second is better" : "neither is better beyond doubt"
            return [
                own, "\(names.other): loss \(other.short)",
                "difference \(difference.short), 95 % interval over patients \(low.short) to \(high.short): \(verdict)",
            ]
        }
    }

    public func validate() throws {
        if data.isEmpty { throw Failure(.usage, option: "data", expected: "at least one data set", found: "none") }
        if draws < 1 { throw Failure(.usage, option: "draws", expected: "at least 1", found: "\(draws)") }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let files = try await DatasetFile.open(all: data, report)
        let first = try LoadedModel(contentsOf: model), second = try against.map { try LoadedModel(contentsOf: $0) }
        if let second { try ValidateJob.requireComparable(second, with: first) }
        func losses(_ loaded: LoadedModel) async throws -> [Double] {
            // Both models get the first model's noise levels.
            try await SiteValidation(
                loaded, data: files, splits: [patients == .validation ? .validation : .holdout], draws: draws,
                noiseLevels: first
            ).losses(loaded.parameters)
        }
        let own = try await losses(first)
        guard !own.isEmpty else {
            throw Failure(.badData, data[0], "the \(patients.rawValue) split holds no photograph")
        }
        let paired = try await second.asyncMap { PairedDifference(own, try await losses($0)) }
        let mean = own.reduce(0, +) / Double(own.count)
        return Outcome(
            patients: own.count, loss: mean, other: paired.map { mean - $0.mean }, difference: paired?.mean,
            low: paired?.low, high: paired?.high, names: (model, second?.path ?? ""),
            what: "\(patients.rawValue) patients, \(draws) draws")
    }

    private static func requireComparable(_ second: LoadedModel, with first: LoadedModel) throws {
        let (one, other) = (first.manifest.model, second.manifest.model)
        guard (one.width, one.height) == (other.width, other.height) else {
            throw Failure(
                .badData, second.path, field: "model", expected: "pictures of \(one.width) x \(one.height)",
                found: "\(other.width) x \(other.height)")
        }
        func handovers(_ model: ModelDescription) -> [Float] { model.experts.map(\.network.highestNoise) }
        guard handovers(one) == handovers(other) else {
            func text(_ model: ModelDescription) -> String {
                let levels = handovers(model)
                guard !levels.isEmpty else { return "one network" }
                return "\(levels.count + 1) networks with handovers at "
                    + levels.map { "\($0)" }.joined(separator: " and ")
            }
            throw Failure(
                .badData, second.path, field: "model", expected: "\(text(one)), so that losses compare",
                found: text(other))
        }
    }
}
