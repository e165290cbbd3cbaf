import Exporting
import Files
import PictureFiles
import SampleStore

/// Writes a sample set in another form. Each picture keeps its synthetic label, and everything that was written is
/// checked.
public struct ExportJob: Job {
    /// A sample set.
    public var file: String
    public var format: SampleExport.Format
    /// The attribute whose codes are the labels of an NPZ file. Nil takes the grade, or the first attribute that was
    /// asked for.
    public var label: String?
    /// The number of samples in a WebDataset shard.
    public var shardSize = 1000
    /// The folder to write.
    public var output: String
    /// Whether an output that exists may be replaced.
    public var replaces = false
    /// The number of threads to work on.
    public var threads = Machine.availableCores

    public init(_ file: String, as format: SampleExport.Format, to output: String) {
        self.file = file
        self.format = format
        self.output = output
    }

    public struct Outcome: JobOutcome {
        public let output: String
        public let format: SampleExport.Format
        public let samples, files, bytes: Int
        /// Whether the set holds a valid verdict of an audit.
        public let releasable: Bool

        public var lines: [String] {
            [
                """
                \(output): \(samples) samples as \(format.rawValue), \(files) files, \(bytes / 1024) KiB; all were \
                read again
                """
            ] + (releasable ? [] : ["\(output): not audited, so not for release; NOT-FOR-RELEASE.txt there says so"])
        }
    }

    public func validate() throws {
        guard shardSize >= 1 else {
            throw Failure(.usage, option: "shardSize", expected: "at least 1", found: "\(shardSize)")
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        try FileSort.requireSampleSet(file, "only samples are exported")
        let set = try await SampleSetFile.open(file)
        try await ReleaseGuard.require(file, set)
        let output = output.withoutTrailingSlashes
        let export = try SampleExport(set, format: format, label: label, shardRows: shardSize, threads: threads)
        let content = try await SampleSetFile.contentDigest(file)
        let (files, bytes) = try await export.write(to: output, content: content, force: replaces) {
            report.progress("export", "samples", $0, of: set.count)
        }
        return Outcome(
            output: output, format: format, samples: set.count, files: files, bytes: bytes,
            releasable: set.isReleasable)
    }
}
