import ArgumentParser
import Files
import Releasing
import SampleStore
import Sampling

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Makes samples again from their provenance, and compares them with what the file holds.",
        discussion: """
            On the BLAS core that made them, with any number of threads and any batch, all bits must be equal; on \
            another, the peak \
            signal-to-noise ratio must reach \(Int(Replay.requiredRatio)) dB. Exit code 1 where a sample is not what \
            it says.

            Example: fovea replay s.h5 --model run/snapshot.safetensors --fraction 0.05
            """)

    @Argument(help: ArgumentHelp("A sample set.", valueName: "s.h5"))
    var file: String

    @OptionGroup var source: ModelOptions

    @Option(
        help: ArgumentHelp(
            "A row to make again; may be given several times (default: all rows that the model made).", valueName: "row"
        ))
    var index: [Int] = []

    @Option(help: ArgumentHelp("A share of the rows instead, drawn at random; at least one.", valueName: "0...1"))
    var fraction: Double?

    @Option(help: ArgumentHelp("Samples a batch; nothing depends on it.", valueName: "n"))
    var batch: Int = 16

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let fraction, !(fraction > 0 && fraction <= 1) {
            throw ValidationError("--fraction: expected more than 0, at most 1, found \(fraction)")
        }
        if !(1...1024).contains(batch) { throw ValidationError("--batch: expected 1 to 1024, found \(batch)") }
        if fraction != nil, !index.isEmpty { throw ValidationError("expected --index or --fraction, and not both") }
    }

    private struct Result: Encodable {
        let checked, equal: Int
        let mode: Replay.Mode
        let failures: [Int]
        let rows: [Int]
        let lowest_psnr: Double?
    }

    func run() async throws {
        common.apply()
        guard try FileSort(contentsOf: file) == .sampleSet else {
            throw Failure(.badData, file, "is no sample set; only samples can be made again")
        }
        try FileProbe.check(file)
        let set = try await SampleSetFile.open(file, verifying: false)
        try ReleaseChain.requireReplayable(set)
        let replay = Replay(set, model: try source.load())
        let rows = try chosen(replay, count: set.count)
        let progress = ProgressReporter("replay", unit: "samples", isQuiet: common.quiet)
        let outcome = try await replay.run(rows: rows, batchSize: batch) { progress.update($0, of: rows.count) }
        progress.end()
        let how =
            outcome.mode == .bitwise
            ? "bit for bit, on the BLAS core that made them"
            : "within \(Int(Replay.requiredRatio)) dB, for they were made on another BLAS core"
        try common.console.finish(
            Result(
                checked: outcome.checked, equal: outcome.equal, mode: outcome.mode, failures: outcome.failures,
                rows: rows,
                lowest_psnr: outcome.lowestRatio),
            ["\(file): \(outcome.equal) of \(outcome.checked) samples were made again, \(how)"]
                + (outcome.lowestRatio.map { ["lowest peak signal-to-noise ratio: \($0.short) dB"] } ?? []))
        guard outcome.failures.isEmpty else {
            let shown =
                outcome.failures.prefix(10).map(String.init).joined(separator: ", ")
                + (outcome.failures.count > 10 ? ", ..." : "")
            throw Failure(
                .checkFailed, file,
                """
                \(outcome.failures.count) of \(outcome.checked) samples are not what their provenance says (rows \
                \(shown))
                """
            )
        }
    }

    private func chosen(_ replay: Replay, count: Int) throws -> [Int] {
        for row in index where !(0..<count).contains(row) {
            throw Failure(.usage, file, field: "--index", expected: "0 to \(count - 1)", found: "\(row)")
        }
        guard index.isEmpty else { return Array(Set(index)).sorted() }
        let rows = replay.rows
        guard !rows.isEmpty else {
            throw Failure(
                .badData, file,
                "none of its samples was made by \(source.model)\(source.mix == nil ? "" : " with this --mix")")
        }
        guard let fraction else { return rows }
        return Array(rows.shuffled().prefix(max(1, Int((fraction * Double(rows.count)).rounded(.up))))).sorted()
    }
}
