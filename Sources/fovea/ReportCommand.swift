import ArgumentParser
import Figures
import Files
import Foundation
import Reporting
import SampleStore
import Verdicts

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes a sample set as one HTML page: gallery, cohorts, lineage, settings and terms.",
        discussion: """
            The page needs no network and loads nothing; it stays below 10 MB. Its pictures are JPEG copies.

            Example: fovea report samples.h5 --out report.html
            """)

    @Argument(help: ArgumentHelp("A sample set.", valueName: "samples"))
    var samples: String

    @Option(help: ArgumentHelp("The page to write.", valueName: "file"))
    var out: String

    @Option(
        help: ArgumentHelp(
            "Samples to show; of a larger set, a selection spread evenly over the cohorts.", valueName: "n"))
    var most = SampleReport.most

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard most >= 1 else { throw ValidationError("--most: expected 1 or more, found \(most)") }
    }

    func run() async throws {
        common.apply()
        guard case .sampleSet = try FileSort(contentsOf: samples) else {
            throw Failure(.badData, samples, "is no sample set; a report is made of what fovea sample writes")
        }
        guard !ReportCommand.isSame(samples, out) else {
            throw Failure(.usage, out, "is the sample set itself; give the page a name of its own")
        }
        try StagedFile.requireWritable(out, force: common.force)
        try FileProbe.check(samples)
        // The probe has compared every byte with the file's digest.
        let file = try await SampleSetFile.open(samples, verifying: false)
        let audit = try file.release.map {
            try AuditPage(PublicAudit.decode(Data($0.verdict.utf8), place: "\(samples) /audit/verdict")).excerpt
        }
        let report = try await SampleReport(
            of: file, name: URL(fileURLWithPath: samples).lastPathComponent, most: most, audit: audit)
        let staged = try StagedFile(out, force: common.force)
        let page = Data(report.html.utf8)
        try staged.write(page)
        try staged.commit()
        try common.console.finish(
            Result(output: out, samples: file.count, shown: report.shown, bytes: page.count),
            [
                """
                \(out): \(report.shown) of \(file.count) samples, \(report.width) x \(report.height) pixels at JPEG \
                quality \(report.quality), \(page.count) bytes
                """
            ])
    }

    /// Whether both paths lead to one file.
    private static func isSame(_ first: String, _ second: String) -> Bool {
        let paths = [first, second].map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().standardizedFileURL.path }
        return paths[0] == paths[1]
    }

    private struct Result: Encodable {
        let output: String
        let samples, shown, bytes: Int
    }
}
