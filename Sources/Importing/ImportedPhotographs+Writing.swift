import Datasets
import Files
import Foundation

extension ImportedPhotographs {
    /// Where the report of an import to `dataset` is: the report for `site.h5` is `site.import-report.json` beside it.
    public static func reportPath(for dataset: String) -> String { stem(of: dataset) + ".import-report.json" }

    /// Where the page of an import to `dataset` is: the page for `site.h5` is `site.import.html` beside it.
    public static func pagePath(for dataset: String) -> String { stem(of: dataset) + ".import.html" }

    private static func stem(of dataset: String) -> Substring {
        let suffixes = [".h5", ".hdf5"]
        return suffixes.first { dataset.lowercased().hasSuffix($0) }.map { dataset.dropLast($0.count) } ?? dataset[...]
    }

    /// What a data set says of its photographs as a whole.
    public struct Terms: Sendable {
        public var source: String
        public var licence: String
        public var notes: String?
        /// Whether it holds drawn pictures, which show no patient.
        public var isDrawn: Bool

        public init(source: String, licence: String, notes: String? = nil, isDrawn: Bool = false) {
            self.source = source
            self.licence = licence
            self.notes = notes
            self.isDrawn = isDrawn
        }
    }

    /// Checks, before any work is done, that all files of an import can be written.
    /// - Throws: `Failure`: `.usage` for an empty name, `.cannotCreateOutput`.
    public static func requireWritable(_ dataset: String, force: Bool) throws {
        try StagedFile.requireWritable(dataset, force: force)
        try StagedFile.requireWritable(reportPath(for: dataset), force: force)
        try StagedFile.requireWritable(pagePath(for: dataset), force: force)
    }

    /// Writes the data set, and beside it the report and the page if there is one. Both have mode 0600, because they
    /// hold names of files.
    /// - Parameter page: a page about the import, in HTML.
    /// - Returns: the path of the report.
    /// - Throws: `Failure`: `.usage` for an empty name, `.cannotCreateOutput`, `.readOrWriteFailed`, `.badData`,
    ///   `.interrupted`. No file is left half written.
    @discardableResult
    public func write(
        to path: String, _ terms: Terms, page: String? = nil, force: Bool
    ) async throws -> String {
        let info = DatasetInfo(
            site: report.site, source: terms.source, licence: terms.licence,
            onePatientPerPhoto: report.onePatientPerPhoto,
            synthetic: terms.isDrawn || report.synthetic > 0, sampled: report.synthetic > 0 ? report.synthetic : nil,
            notes: terms.notes, qualitySource: report.quality.source)
        let reportPath = ImportedPhotographs.reportPath(for: path)
        let pagePath = ImportedPhotographs.pagePath(for: path)
        let reportFile = try StagedFile(reportPath, force: force, isPrivate: true)
        let pageFile = try page.map { _ in try StagedFile(pagePath, force: force, isPrivate: true) }
        let writer = try await DatasetWriter(path: path, size: report.size, info: info, force: force)
        for start in stride(from: 0, to: count, by: 64) {
            try Cancellation.check(ImportWorkspace.advice)
            try await writer.append(records(start..<min(start + 64, count)))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try reportFile.write(encoder.encode(report))
        if let page { try pageFile?.write(Data(page.utf8)) }
        // All three are whole before the first gets its name. The data set gets its name last, so that its report
        // exists whenever the data set does.
        try await writer.complete()
        try reportFile.flush()
        try pageFile?.flush()
        try reportFile.commit()
        try pageFile?.commit()
        try await writer.commit()
        return reportPath
    }
}
