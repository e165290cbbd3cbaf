import EvaluationPages
import Figures
import Files
import Foundation
import PictureFiles
import Reporting
import SampleStore
import Verdicts

/// Writes a sample set as one HTML page that needs no network: gallery, cohorts, lineage, settings and terms.
public struct ReportJob: Job {
    /// A sample set.
    public var samples: String
    /// The page to write.
    public var output: String
    /// The folder of an evaluation of the set; nil shows the one that a released set carries.
    public var evaluation: String?
    /// The most samples to show. A selection from a larger set is spread evenly over the cohorts.
    public var most = usualMost
    /// The default of `most`.
    public static let usualMost = SampleReport.most
    /// Whether an output that exists may be replaced.
    public var replaces = false

    public init(_ samples: String, to output: String) {
        self.samples = samples
        self.output = output
    }

    public struct Outcome: JobOutcome {
        public let output: String
        public let samples, shown, bytes: Int
        fileprivate let format: String

        private enum CodingKeys: String, CodingKey { case output, samples, shown, bytes }

        public var lines: [String] { ["\(output): \(shown) of \(samples) samples, \(format), \(bytes) bytes"] }
    }

    public func validate() throws {
        guard most >= 1 else { throw Failure(.usage, option: "most", expected: "1 or more", found: "\(most)") }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        try FileSort.requireSampleSet(samples, "a report is made of what fovea sample writes")
        try StagedFile.requireWritable(output, force: replaces)
        let file = try await SampleSetFile.open(samples)
        try await ReleaseGuard.require(samples, file)
        let audit = try file.release.map {
            try AuditPage(PublicAudit.decode(Data($0.verdict.utf8), place: "\(samples) /audit/verdict")).excerpt
        }
        var given: String?
        if let evaluation {
            given = try EvaluationFolder(evaluation).text(of: try await SampleSetFile.contentDigest(samples))
        }
        let record = try (given ?? file.release?.evaluation).map {
            try EvaluationRecord.decode($0, place: evaluation ?? "\(samples) /audit/evaluation")
        }
        let made = try await SampleReport(
            of: file, name: URL(fileURLWithPath: samples).lastPathComponent, most: most, audit: audit,
            evaluation: record.map { EvaluationPage($0).excerpt })
        let staged = try StagedFile(output, force: replaces)
        let page = Data(made.html.utf8)
        try staged.write(page)
        try staged.commit()
        return Outcome(
            output: output, samples: file.count, shown: made.shown, bytes: page.count,
            format: "\(made.width) x \(made.height) pixels at JPEG quality \(made.quality)")
    }
}
