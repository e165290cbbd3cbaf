import ArgumentParser
import Files
import Foundation
import Importing

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Turns a folder of fundus photographs into a dataset.",
        discussion: """
            The field of view is found, cropped, centred and squared; everything outside it becomes black. Copies are \
            dropped, \
            and patients are split into train, validation and holdout. File names go only to the import report beside \
            the output.

            Example:
              fovea import photographs --site clinic-a --labels grades.csv --map clinic-a.yaml --size 256 --out \
              clinic-a.h5
            """)

    @Argument(help: ArgumentHelp("The folder; folders in it are searched, too.", valueName: "dir"))
    var folder: String

    @Option(help: "The site's name, in ASCII without spaces.")
    var site: String

    @Option(help: ArgumentHelp("A table with a row a photograph.", valueName: "file.csv"))
    var labels: String?

    @Option(help: ArgumentHelp("How the table's columns and codes map to the cohort schema.", valueName: "map.yaml"))
    var map: String?

    @Flag(
        help:
            "Say that each photograph is of another patient, where no column names the patient; the dataset records it."
    )
    var onePatientPerPhoto = false

    @Option(help: "Width and height of the pictures in pixels.")
    var size = 256

    @Option(help: ArgumentHelp("The dataset to write.", valueName: "site.h5"))
    var out: String

    @Option(help: "The photographs' licence.")
    var licence = "unstated"

    @Option(help: "Where the photographs come from.")
    var source = "unstated"

    @Option(
        help: ArgumentHelp(
            """
            A file of 16 bytes or more that stays at the site; with it a patient has the same opaque key in each import.
            """,
            valueName: "file"))
    var patientSecret: String?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        common.apply()
        try ImportedPhotographs.requireWritable(out, force: common.force)
        var importer = Importer(folder: folder, site: site, size: size)
        importer.labels = labels
        importer.map = map
        importer.onePatientPerPhoto = onePatientPerPhoto
        importer.threads = common.threadCount
        // The same disk as the output has room for the pictures by the user's own reckoning; the temporary one may be
        // memory.
        importer.scratchFolder = URL(fileURLWithPath: out).deletingLastPathComponent().path
        if let patientSecret { importer.secret = try secretBytes(patientSecret) }

        let progress = ProgressReporter("import", unit: "photographs", isQuiet: common.quiet)
        let comparison = ProgressReporter("compare vessels", unit: "photographs", isQuiet: common.quiet)
        defer {
            progress.end()
            comparison.end()
        }
        let imported = try importer.run { step, done, total in
            switch step {
            case .reading: progress.update(done, of: total)
            case .comparing:
                if done == 0 { comparison.start() }
                comparison.update(done, of: total)
            }
        }
        let reportPath = try await imported.write(to: out, source: source, licence: licence, force: common.force)
        progress.end()
        comparison.end()
        try common.console.finish(
            Summary(imported.report, output: out, reportFile: reportPath),
            lines(imported.report, reportPath: reportPath))
    }

    private func secretBytes(_ path: String) throws -> [UInt8] {
        guard FileManager.default.fileExists(atPath: path) else { throw Failure(.noSuchInput, path, "does not exist") }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure(.readOrWriteFailed, path, "could not be read")
        }
        return Array(data)
    }

    /// What a person is told.
    private func lines(_ report: ImportReport, reportPath: String) -> [String] {
        var lines = [
            "\(out): \(report.kept) photographs of \(report.patients) patients at \(report.size) pixels",
            "train \(report.splits.train), validation \(report.splits.validation), holdout \(report.splits.holdout)",
        ]
        if !report.duplicates.isEmpty {
            let conflicts = report.duplicates.count { $0.conflict }
            lines.append(
                """
                \(report.duplicates.count) copies dropped (\(conflicts) with contradicting labels, which became unknown)
                """
            )
        }
        let twoNames = report.sameEye.filter(\.twoNames)
        if report.sameEye.count > twoNames.count {
            lines.append(
                """
                same eye, so one patient: \(report.sameEye.count - twoNames.count) pairs of photographs (sameEye in \
                the report)
                """
            )
        }
        if !twoNames.isEmpty {
            lines.append(
                """
                the same eye under two names, which may be the same person; both names are in one split \
                (\(twoNames.count) pairs):
                """
            )
            lines += twoNames.prefix(5).map { "  \($0.file) and \($0.of)" }
            if twoNames.count > 5 { lines.append("  ...") }
        }
        if let compared = report.comparedAtOnce {
            lines.append(
                """
                vessels were compared with those of the \(compared / 2) photographs before and behind each, in the \
                order of their names, 
                """
                    + "not with all: other photographs of an eye that are farther away were not looked for")
        }
        if report.photographsWithoutLabels > 0 {
            lines.append("\(report.photographsWithoutLabels) photographs have no row in the table")
        }
        if report.labelsWithoutPhotograph > 0 {
            lines.append("\(report.labelsWithoutPhotograph) rows of the table have no photograph")
        }
        if !report.refused.isEmpty {
            lines.append("\(report.refused.count) photographs refused:")
            lines += report.refused.prefix(5).map { "  \($0.file): \($0.reason)" }
            if report.refused.count > 5 { lines.append("  ...") }
        }
        lines.append("details: \(reportPath) (file names; keep it at the site)")
        return lines
    }
}

extension ImportCommand {
    /// What `--json` prints: the report without the list of photographs, and the outputs.
    struct Summary: Encodable {
        private let report: ImportReport
        private let output: String
        private let reportFile: String

        init(_ report: ImportReport, output: String, reportFile: String) {
            var report = report
            report.photographs = nil
            self.report = report
            self.output = output
            self.reportFile = reportFile
        }

        private enum Key: String, CodingKey {
            case output
            case reportFile = "report"
        }

        func encode(to encoder: any Encoder) throws {
            try report.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(output, forKey: .output)
            try container.encode(reportFile, forKey: .reportFile)
        }
    }
}
