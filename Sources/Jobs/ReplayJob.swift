import Files
import PictureFiles
import Releasing
import SampleStore
import Sampling

/// Makes samples again from their provenance, and compares them with what the file holds.
public struct ReplayJob: Job {
    /// The rows to make again.
    public enum Rows: Sendable {
        /// All rows that the model made.
        case all
        case some([Int])
        /// A share of the rows that the model made, drawn at random: at least one row.
        case share(Double)
    }

    /// A sample set.
    public var file: String
    public var model: ModelSource
    public var rows = Rows.all
    /// The number of samples in a batch. No result depends on it.
    public var batch = 16

    public init(_ file: String, model: ModelSource) {
        self.file = file
        self.model = model
    }

    public struct Outcome: JobOutcome {
        /// How many samples were made again, and how many of them are what the file holds.
        public let checked, equal: Int
        /// How samples were compared.
        public let mode: String
        /// The rows whose samples are not what their provenance says.
        public let failures: [Int]
        /// The rows that were made again.
        public let rows: [Int]
        /// The lowest peak signal-to-noise ratio in dB; nil where bits were compared.
        public let lowestRatio: Double?
        fileprivate let file: String
        fileprivate let isBitwise: Bool

        private enum CodingKeys: String, CodingKey {
            case checked, equal, mode, failures, rows
            case lowestRatio = "lowest_psnr"
        }

        public var lines: [String] {
            let how =
                isBitwise
                ? "bit for bit, on the BLAS core that made them"
                : "within \(Int(Replay.requiredRatio)) dB, for they were made on another BLAS core"
            return ["\(file): \(equal) of \(checked) samples were made again, \(how)"]
                + (lowestRatio.map { ["lowest peak signal-to-noise ratio: \($0.short) dB"] } ?? [])
        }

        public var refusal: Failure? {
            guard !failures.isEmpty else { return nil }
            let shown =
                failures.prefix(10).map(String.init).joined(separator: ", ") + (failures.count > 10 ? ", ..." : "")
            return Failure(
                .checkFailed, file,
                "\(failures.count) of \(checked) samples are not what their provenance says (rows \(shown))")
        }
    }

    /// The peak signal-to-noise ratio in dB that samples from two different processors must reach.
    public static var requiredRatio: Double { Replay.requiredRatio }

    public func validate() throws {
        try model.validate()
        if case .share(let share) = rows, !(share > 0 && share <= 1) {
            throw Failure(.usage, option: "fraction", expected: "more than 0, at most 1", found: "\(share)")
        }
        guard (1...1024).contains(batch) else {
            throw Failure(.usage, option: "batch", expected: "1 to 1024", found: "\(batch)")
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        try FileSort.requireSampleSet(file, "only samples can be made again")
        let set = try await SampleSetFile.open(file)
        try ReleaseChain.requireReplayable(set)
        let replay = Replay(set, model: try model.load())
        let rows = try chosen(replay, count: set.count)
        let outcome = try await replay.run(rows: rows, batchSize: batch) {
            report.progress("replay", "samples", $0, of: rows.count)
        }
        return Outcome(
            checked: outcome.checked, equal: outcome.equal, mode: outcome.mode.rawValue, failures: outcome.failures,
            rows: rows, lowestRatio: outcome.lowestRatio, file: file, isBitwise: outcome.mode == .bitwise)
    }

    private func chosen(_ replay: Replay, count: Int) throws -> [Int] {
        if case .some(let wanted) = rows {
            for row in wanted where !(0..<count).contains(row) {
                throw Failure(.usage, file, option: "index", expected: "0 to \(count - 1)", found: "\(row)")
            }
            return Array(Set(wanted)).sorted()
        }
        let made = replay.rows
        guard !made.isEmpty else {
            throw Failure(
                .badData, file,
                "none of its samples was made by \(model.snapshot)\(model.mix.isEmpty ? "" : " with this mixture")")
        }
        guard case .share(let share) = rows else { return made }
        return Array(made.shuffled().prefix(max(1, Int((share * Double(made.count)).rounded(.up))))).sorted()
    }
}
