import Auditing
import Cryptography
import Datasets
import Figures
import Files
import Foundation
import ImportPages
import Importing

/// Turns a folder of photographs into a data set.
public struct ImportJob: Job {
    /// The folder of photographs. The folders in it are searched, too.
    public var folder: String
    /// The site's name, in ASCII without spaces; nil for that of the data set that gets more photographs.
    public var site: String?
    /// Width and height of the pictures in pixels; nil for 256, or those of the data set that gets more photographs.
    public var size: Int?
    /// Whether `output` is a data set to which the photographs are added.
    public var adds = false
    /// Whether to go on with an import that was not finished; begins where there is none.
    public var resumes = false
    /// A table of labels, and what its columns and codes mean: a file, or the name of a map that comes with the
    /// program. Some maps read the photographs' paths and need no table.
    public var labels, map: String?
    /// Whether every photograph shows a different patient, in case no column names the patient.
    public var onePatientPerPhoto = false
    /// Whether pictures whose file says that a model made them are taken. The data set is then marked as synthetic.
    public var allowsSynthetic = false
    /// What becomes of photographs with letters inside the field of view.
    public var text = BurnedInTextPolicy.flag
    /// The worst grade of quality that is taken; nil takes all.
    public var leastQuality: QualityGrade?
    /// The photographs' licence, and where they come from.
    public var licence = unstated, source = unstated
    /// What a data set says of its licence and source where nobody stated them.
    public static let unstated = "unstated"
    /// A file of at least 16 bytes that stays at the site. With this secret, a patient has the same opaque key in every
    /// import.
    public var patientSecret: String?
    /// The data set to write; the import report and a page go beside it.
    public var output: String
    /// Whether an output that exists may be replaced.
    public var replaces = false
    /// The number of threads to work on.
    public var threads = Machine.availableCores

    public init(folder: String, site: String?, to output: String) {
        self.folder = folder
        self.site = site
        self.output = output
    }

    public struct Outcome: JobOutcome {
        public let output: String
        /// The path of the import report. The report holds file names, so that it must stay at the site.
        public let reportFile: String
        /// The path of a page that shows what the import did, with pictures. It must stay at the site, too.
        public let pageFile: String
        private let report: ImportReport

        public var photographs: Int { report.kept }
        public var patients: Int { report.patients }

        fileprivate init(_ report: ImportReport, output: String, reportFile: String) {
            self.report = report
            self.output = output
            self.reportFile = reportFile
            pageFile = ImportedPhotographs.pagePath(for: output)
        }

        private enum Key: String, CodingKey {
            case output
            case reportFile = "report"
            case pageFile = "page"
        }

        /// The report without long lists of names, and the outputs.
        public func encode(to encoder: any Encoder) throws {
            try report.summary.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(output, forKey: .output)
            try container.encode(reportFile, forKey: .reportFile)
            try container.encode(pageFile, forKey: .pageFile)
        }

        public var lines: [String] {
            let splits = report.splits
            return [
                "\(output): \(report.kept.of("photograph")) of \(report.patients.of("patient")) at "
                    + "\(report.size) pixels" + (report.added.map { ", \($0) of them added" } ?? ""),
                "train \(splits.train), validation \(splits.validation), holdout \(splits.holdout)",
            ] + report.findings + [
                "details: \(reportFile), with pictures: \(pageFile) (file names and patients; keep both at the site)"
            ]
        }

        public var warnings: [String] { [report.hint].compactMap(\.self) }

        public var advice: [Advice] {
            var advice: [Advice] = []
            let synthetic = report.refused.count(where: \.isSynthetic)
            if synthetic > 0 {
                advice.append(
                    Advice(
                        "\(synthetic.of("picture")) refused because a model made \(synthetic == 1 ? "it" : "them")",
                        .allowSynthetic))
            }
            guard report.licence == ImportJob.unstated else { return advice }
            return advice + [
                Advice(
                    """
                    the licence of the photographs is not stated, so all that is made from them will say \
                    "\(ImportJob.unstated)"
                    """, .stateLicence(dataset: output))
            ]
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        if let patientSecret { try OutputPath.requireOther(output, than: [patientSecret]) }
        try ImportedPhotographs.requireWritable(output, force: replaces || adds)
        // Before the data set is read, so that no other import adds to it meanwhile.
        let folder = try UnfinishedFolder(for: output)
        let base = try await base()
        guard let site = site ?? base?.info.site else {
            throw Failure(.usage, nil, field: "the site", expected: "a name", found: "none")
        }
        var importer = Importer(folder: self.folder, site: site, size: size ?? base?.size ?? 256)
        importer.labels = labels
        importer.map = map
        importer.onePatientPerPhoto = onePatientPerPhoto
        importer.allowsSynthetic = allowsSynthetic
        importer.text = text
        importer.leastQuality = leastQuality
        importer.threads = threads
        importer.base = base
        if let patientSecret {
            importer.secret = try ImportJob.secret(patientSecret)
            importer.keepsSecret = true
        }
        let unfinished = try UnfinishedImport(of: importer, in: folder, resumes: resumes, replaces: replaces)
        unfinished.prepare(&importer)
        do {
            var imported = try importer.run { step, done, total in
                switch step {
                case .reading: report.progress("import", "photographs", done, of: total)
                case .findingCopies: report.progress("look for copies", "steps", done, of: total)
                case .comparing: report.progress("compare vessels", "photographs", done, of: total)
                }
            }
            imported.report.licence = try terms(of: base).licence
            imported.report.auditOutlook =
                AuditOutlook(patients: imported.patients, splits: imported.splits).sentence
            let name = URL(fileURLWithPath: output).lastPathComponent
            let reportFile = try await imported.write(
                to: output, terms(of: base), page: ImportPage(imported, dataset: name).html(),
                force: replaces || adds)
            try unfinished.finish()
            return Outcome(imported.report, output: output, reportFile: reportFile)
        } catch let failure as Failure {
            throw unfinished.explained(failure)
        }
    }

    /// The data set that gets more photographs.
    private func base() async throws -> BaseDataset? {
        if !adds { return nil }
        // The output's disk has room for the pictures. The temporary folder may be in memory.
        return try await BaseDataset(output, scratch: URL(fileURLWithPath: output).deletingLastPathComponent().path)
    }

    /// Licence, source and notes of the data set. What is stated for photographs that are added must be true of those
    /// that are there, too.
    private func terms(of base: BaseDataset?) throws -> ImportedPhotographs.Terms {
        guard let info = base?.info else { return .init(source: source, licence: licence) }
        for (option, own, asked) in [("licence", info.licence, licence), ("source", info.source, source)]
        where asked != ImportJob.unstated && asked != own {
            throw Failure(.usage, output, option: option, expected: own, found: asked)
        }
        return .init(source: info.source, licence: info.licence, notes: info.notes, isDrawn: info.isDrawn)
    }

    private static func secret(_ path: String) throws -> SecretBytes {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw Failure(
                errno == ENOENT ? .noSuchInput : .readOrWriteFailed, path, "could not be read: \(SystemReason.text())")
        }
        // It may be a pipe, so that the secret lies on no disk.
        var data: Data
        do { data = try file.readToEnd() ?? Data() } catch {
            throw Failure(.readOrWriteFailed, path, "could not be read: \(SystemReason.text(error))")
        }
        defer { data.wipe() }
        return SecretBytes(data)
    }
}
