import ArgumentParser
import Exporting
import Files
import SampleStore

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract:
            """
            Writes a sample set in another form: PNG files, NPZ or WebDataset; each picture keeps its synthetic label.
            """,
        discussion: """
            The folder also gets a dataset card, a card of each model, croissant.json, prov.json, and export.json with \
            the digest of \
            every file (fovea verify FOLDER). Everything is read again after writing.

            Example: fovea export s.h5 --to png --out pictures
            """)

    @Argument(help: ArgumentHelp("A sample set.", valueName: "s.h5"))
    var file: String

    @Option(help: "The form: \(SampleExport.Format.allCases.map(\.rawValue).joined(separator: ", ")).")
    var to: SampleExport.Format

    @Option(help: ArgumentHelp("The folder to write.", valueName: "folder"))
    var out: String

    @Option(
        help: ArgumentHelp(
            "The attribute that an NPZ file gives as labels (default: dr_icdr, or the first that was asked for).",
            valueName: "attribute"))
    var label: String?

    @Option(help: ArgumentHelp("Samples of a WebDataset shard.", valueName: "n"))
    var shardSize: Int = 1000

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if shardSize < 1 { throw ValidationError("--shard-size: expected at least 1, found \(shardSize)") }
    }

    private struct Result: Encodable {
        let output: String
        let format: SampleExport.Format
        let samples, files, bytes: Int
    }

    func run() async throws {
        guard try FileSort(contentsOf: file) == .sampleSet else {
            throw Failure(.badData, file, "is no sample set; only samples are exported")
        }
        try FileProbe.check(file)
        let set = try await SampleSetFile.open(file, verifying: false)
        let out = out.withoutTrailingSlashes
        let export = try SampleExport(set, format: to, label: label, shardRows: shardSize, threads: common.threadCount)
        let progress = ProgressReporter("export", unit: "samples", isQuiet: common.quiet)
        defer { progress.end() }
        let content = try await SampleSetFile.contentDigest(file)
        let (files, bytes) = try await export.write(to: out, content: content, force: common.force) {
            progress.update($0, of: set.count)
        }
        progress.end()
        try common.console.finish(
            Result(output: out, format: to, samples: set.count, files: files, bytes: bytes),
            ["\(out): \(set.count) samples as \(to.rawValue), \(files) files, \(bytes / 1024) KiB; all were read again"]
        )
    }
}

extension SampleExport.Format: ExpressibleByArgument {}
