import Datasets
import Files
import Foundation

extension ImportedPhotographs {
    /// Where the report of an import to `dataset` is: the report for `site.h5` is `site.import-report.json` beside it.
    public static func reportPath(for dataset: String) -> String {
        let suffixes = [".h5", ".hdf5"]
        let stem =
            suffixes.first { dataset.lowercased().hasSuffix($0) }.map { dataset.dropLast($0.count) } ?? dataset[...]
        return stem + ".import-report.json"
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

    /// Checks, before any work is done, that both files of an import can be written.
    /// - Throws: `Failure`: `.usage` for an empty name, `.cannotCreateOutput`.
    public static func requireWritable(_ dataset: String, force: Bool) throws {
        try StagedFile.requireWritable(dataset, force: force)
        try StagedFile.requireWritable(reportPath(for: dataset), force: force)
    }

    /// Writes the data set, and the report beside it. The report has mode 0600, because it holds names of files.
    /// - Returns: the path of the report.
    /// - Throws: `Failure`: `.usage` for an empty name, `.cannotCreateOutput`, `.readOrWriteFailed`, `.badData`,
    ///   `.interrupted`. No file is left half written.
    @discardableResult
    public func write(
        to path: String, _ terms: Terms, force: Bool
    ) async throws -> String {
        let info = DatasetInfo(
            site: report.site, source: terms.source, licence: terms.licence,
            onePatientPerPhoto: report.onePatientPerPhoto,
            synthetic: terms.isDrawn || report.synthetic > 0, sampled: report.synthetic > 0 ? report.synthetic : nil,
            notes: terms.notes)
        let reportPath = ImportedPhotographs.reportPath(for: path)
        let reportFile = try StagedFile(reportPath, force: force)
        let writer = try await DatasetWriter(path: path, size: report.size, info: info, force: force)
        for start in stride(from: 0, to: count, by: 64) {
            try Cancellation.check(ImportWorkspace.advice)
            try await writer.append(records(start..<min(start + 64, count)))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try reportFile.write(encoder.encode(report))
        guard chmod(reportFile.stagingPath, 0o600) == 0 else {
            throw Failure(
                .readOrWriteFailed, reportPath, "could not be made private: \(String(cString: strerror(errno)))")
        }
        // The data set is written last, so that its report exists whenever the data set does.
        try reportFile.commit()
        try await writer.finish()
        return reportPath
    }
}
