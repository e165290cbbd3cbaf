import Cryptography
import Files
import Foundation
import Importing

/// Turns a folder of photographs into a data set.
public struct ImportJob: Job {
    /// The folder of photographs. The folders in it are searched, too.
    public var folder: String
    /// The site's name, in ASCII without spaces.
    public var site: String
    /// Width and height of the pictures in pixels.
    public var size = 256
    /// A table with a row for each photograph, and a file that says how its columns and codes map to the cohort schema.
    public var labels, map: String?
    /// Whether every photograph shows a different patient, in case no column names the patient.
    public var onePatientPerPhoto = false
    /// The photographs' licence, and where they come from.
    public var licence = "unstated", source = "unstated"
    /// A file of at least 16 bytes that stays at the site. With this secret, a patient has the same opaque key in every
    /// import.
    public var patientSecret: String?
    /// The data set to write; the import report goes beside it.
    public var output: String
    /// Whether an output that exists may be replaced.
    public var replaces = false
    /// The number of threads to work on.
    public var threads = Machine.availableCores

    public init(folder: String, site: String, to output: String) {
        self.folder = folder
        self.site = site
        self.output = output
    }

    public struct Outcome: JobOutcome {
        public let output: String
        /// The path of the import report. The report holds file names, so that it must stay at the site.
        public let reportFile: String
        private let report: ImportReport

        public var photographs: Int { report.kept }
        public var patients: Int { report.patients }

        fileprivate init(_ report: ImportReport, output: String, reportFile: String) {
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

        /// The report without the list of photographs, and the outputs.
        public func encode(to encoder: any Encoder) throws {
            try report.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(output, forKey: .output)
            try container.encode(reportFile, forKey: .reportFile)
        }

        public var lines: [String] {
            let splits = report.splits
            return [
                "\(output): \(report.kept) photographs of \(report.patients) patients at \(report.size) pixels",
                "train \(splits.train), validation \(splits.validation), holdout \(splits.holdout)",
            ] + report.findings + ["details: \(reportFile) (file names; keep it at the site)"]
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        try OutputPath.requireOther(output, than: [labels, map, patientSecret].compactMap(\.self))
        try ImportedPhotographs.requireWritable(output, force: replaces)
        var importer = Importer(folder: folder, site: site, size: size)
        importer.labels = labels
        importer.map = map
        importer.onePatientPerPhoto = onePatientPerPhoto
        importer.threads = threads
        // The user chose the output's disk, so that it has room for the pictures. The temporary folder may be in
        // memory.
        importer.scratchFolder = URL(fileURLWithPath: output).deletingLastPathComponent().path
        if let patientSecret { importer.secret = try ImportJob.secret(patientSecret) }
        let imported = try importer.run { step, done, total in
            switch step {
            case .reading: report.progress("import", "photographs", done, of: total)
            case .comparing: report.progress("compare vessels", "photographs", done, of: total)
            }
        }
        let reportFile = try await imported.write(to: output, source: source, licence: licence, force: replaces)
        return Outcome(imported.report, output: output, reportFile: reportFile)
    }

    private static func secret(_ path: String) throws -> SecretBytes {
        guard FileManager.default.fileExists(atPath: path) else { throw Failure(.noSuchInput, path, "does not exist") }
        guard var data = FileManager.default.contents(atPath: path) else {
            throw Failure(.readOrWriteFailed, path, "could not be read")
        }
        defer { data.wipe() }
        return SecretBytes(data)
    }
}

extension ImportReport {
    /// What the user should know about the import, with one sentence on each line.
    fileprivate var findings: [String] {
        var lines: [String] = []
        if !duplicates.isEmpty {
            let conflicts = duplicates.count { $0.conflict }
            lines.append(
                "\(duplicates.count) copies dropped (\(conflicts) with contradicting labels, which became unknown)")
        }
        let twoNames = sameEye.filter(\.twoNames)
        if sameEye.count > twoNames.count {
            lines.append(
                """
                same eye, so one patient: \(sameEye.count - twoNames.count) pairs of photographs (sameEye in the report)
                """)
        }
        if !twoNames.isEmpty {
            lines.append(
                """
                the same eye under two names, which may be the same person; both names are in one split \
                (\(twoNames.count) pairs):
                """)
            lines += twoNames.prefix(5).map { "  \($0.file) and \($0.of)" }
            if twoNames.count > 5 { lines.append("  ...") }
        }
        if let compared = comparedAtOnce {
            lines.append(
                """
                vessels were compared with those of the \(compared / 2) photographs before and behind each, in the \
                order of their names, not with all: other photographs of an eye that are farther away were not looked \
                for
                """)
        }
        if photographsWithoutLabels > 0 {
            lines.append("\(photographsWithoutLabels) photographs have no row in the table")
        }
        if labelsWithoutPhotograph > 0 {
            lines.append("\(labelsWithoutPhotograph) rows of the table have no photograph")
        }
        if !refused.isEmpty {
            lines.append("\(refused.count) photographs refused:")
            lines += refused.prefix(5).map { "  \($0.file): \($0.reason)" }
            if refused.count > 5 { lines.append("  ...") }
        }
        return lines
    }
}
