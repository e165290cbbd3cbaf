import Cohorts
import Cryptography
import Datasets
import Files
import Foundation
import Pictures

/// A data set to which an import adds photographs. Its photographs keep their order, labels and patients' keys.
public struct BaseDataset: Sendable {
    public let path: String
    public let info: DatasetInfo
    /// Width and height of its pictures, in pixels.
    public let size: Int
    let records: [Row]
    /// The pictures, [size, size, 3], each at its row.
    let pictures: PixelSpool
    private let report: Report

    /// What is needed of the report of the import that made the data set. Reports of version 0.1 have no digests.
    private struct Report: Decodable {
        struct Photograph: Decodable {
            let row: Int
            let file: String
            let digest: Digest?
        }
        struct Duplicate: Decodable {
            let of: String
            let digest: Digest?
        }

        var photographs: [Photograph]? = nil
        var duplicates: [Duplicate] = []
        var secretCheck: String? = nil
    }

    struct Row: Sendable {
        let fieldOfView: FieldOfView
        let cohort: Cohort
        let patient: String
        let split: Split
        /// The digest of its pixels in the data set.
        let digest: Digest
        /// The file from which it was imported; nil if no report says so.
        var file: String?
        /// The digest of the file's decoded pixels; nil if no report says so.
        var source: Digest?
    }

    /// Reads a data set, and the report beside it if there is one.
    /// - Parameter scratch: a folder on a disk with enough room for its pictures.
    /// - Throws: `Failure`: what `DatasetFile.open` throws; `.badData` for phantoms with masks, or a report that is
    ///   damaged or belongs to another data set; `.cannotCreateOutput`, `.readOrWriteFailed`, `.interrupted`.
    public init(_ path: String, scratch: String) async throws {
        let file = try await DatasetFile.open(path)
        guard file.maskNames.isEmpty, file.visits == nil, file.eyes == nil else {
            throw Failure(.badData, path, "holds phantoms with masks, to which photographs cannot be added")
        }
        self.path = path
        (info, size) = (file.info, file.size)
        pictures = try PixelSpool(folder: scratch, byteCount: size * size * 3)
        for start in stride(from: 0, to: file.count, by: 64) {
            try Cancellation.check(ImportWorkspace.advice)
            let rows = Array(start..<min(start + 64, file.count))
            let pixels = try await file.images(rows: rows), each = pictures.byteCount
            for (offset, row) in rows.enumerated() {
                try pictures.write(Array(pixels[offset * each..<(offset + 1) * each]), at: row)
            }
        }
        var records = (0..<file.count).map { row in
            Row(
                fieldOfView: file.fieldsOfView[row], cohort: file.cohort(row: row), patient: file.patients[row],
                split: file.splits[row], digest: file.digests[row])
        }
        report = try BaseDataset.report(of: path, rows: records.count)
        for photograph in report.photographs ?? [] {
            records[photograph.row].file = photograph.file
            records[photograph.row].source = photograph.digest
        }
        self.records = records
    }

    private static func report(of dataset: String, rows: Int) throws -> Report {
        let path = ImportedPhotographs.reportPath(for: dataset)
        guard RegularFile.exists(path) else { return Report() }
        let report = try JSONText.decode(Report.self, JSONText.contents(path), place: path)
        let photographs = report.photographs ?? []
        guard photographs.count == rows, photographs.enumerated().allSatisfy({ $0 == $1.row }) else {
            throw Failure(
                .badData, path, field: "photographs", expected: "the \(rows) rows of \(dataset)",
                found: "\(photographs.count)")
        }
        return report
    }

    /// Where its attribute `quality` comes from; nil if no photograph has it. Version 0.1 measured nothing.
    var qualitySource: QualitySource? {
        guard records.contains(where: { $0.cohort["quality"] != nil }) else { return nil }
        return info.qualitySource ?? .stated
    }

    /// The files from which its photographs were imported, as far as a report says so.
    var files: [String] { records.compactMap(\.file) }

    /// The rows that files of these pixels gave, those of dropped copies as well.
    var rowsOfSources: [Digest: Int] {
        var rows: [Digest: Int] = [:], rowsOfFiles: [String: Int] = [:]
        for (row, record) in records.enumerated() {
            if let source = record.source { rows[source] = row }
            if let file = record.file { rowsOfFiles[file] = row }
        }
        for copy in report.duplicates {
            if let digest = copy.digest, let row = rowsOfFiles[copy.of] { rows[digest] = rows[digest] ?? row }
        }
        return rows
    }

    /// Checks that an import can add to the data set.
    /// - Throws: `Failure(.usage)` that names what differs.
    func require(_ importer: Importer) throws {
        func same(_ option: String, _ own: String, _ asked: String) throws {
            if own != asked { throw Failure(.usage, path, option: option, expected: own, found: asked) }
        }
        try same("site", info.site, importer.site)
        try same("size", "\(size)", "\(importer.size)")
        if info.onePatientPerPhoto != importer.onePatientPerPhoto {
            throw Failure(
                .usage, path, option: "onePatientPerPhoto",
                info.onePatientPerPhoto
                    ? "each of its photographs counts as a patient of its own, so those that are added must, too"
                    : "its patients are named, so those of the photographs that are added must be named, too")
        }
    }

    /// Joins patients of new photographs with those of the data set: by the site's secret, and where the table has rows
    /// of photographs that are in the data set already.
    /// - Parameters:
    ///   - names: the patients of the new photographs, as the site names them.
    ///   - labels: the table's labels of a file.
    /// - Throws: `Failure(.usage)` if neither can tell whether a new patient is in the data set already.
    func join(
        _ names: Set<String>, _ groups: inout PatientGroups, secret: SecretBytes?,
        labels: (String) -> PhotographLabels?
    ) throws {
        if info.onePatientPerPhoto { return }
        var isLinked = false
        for record in records {
            if let name = record.file.flatMap(labels)?.patient {
                groups.join(BaseDataset.group(record.patient), name)
                isLinked = true
            }
        }
        if let secret {
            let own = Set(records.map(\.patient)), keys = PatientKeys(secret: secret)
            if let check = report.secretCheck {
                guard check == keys.check else {
                    throw Failure(
                        .usage, path, option: "patientSecret", "its patients were named with another patient secret")
                }
                isLinked = true
            }
            for name in names {
                let key = keys.key(of: name)
                if own.contains(key) {
                    groups.join(BaseDataset.group(key), name)
                    isLinked = true
                }
            }
        }
        if isLinked { return }
        throw Failure(
            .usage, path, option: "patientSecret",
            """
            nothing tells whether patients of the new photographs are in it already: give the patient secret with \
            which it was imported, or a table that also has the rows of its photographs
            """)
    }

    /// The splits of patients who are in the data set already. If new photographs show that two of them are one person,
    /// the stricter split holds for both.
    /// - Parameter groups: the group of each row's patient.
    func splits(_ groups: some Sequence<String>) -> [String: Split] {
        zip(groups, records).reduce(into: [:]) { splits, entry in
            splits[entry.0] = splits[entry.0]?.stricter(entry.1.split) ?? entry.1.split
        }
    }

    /// The name under which a patient of a data set is grouped. It sorts before every name of a table.
    static func group(_ key: String) -> String { "\0" + key }

    /// The key of a patient of the data set, from the name of a group; nil for others.
    static func key(ofGroup name: String) -> String? { name.first == "\0" ? String(name.dropFirst()) : nil }
}

extension PatientKeys {
    /// Tells secrets apart without telling anything of them.
    var check: String { key(of: "\0fovea-secret-check") }
}

extension Split {
    /// Of two splits in which one patient lies, the one in which the patient is never trained on.
    func stricter(_ other: Split) -> Split { rawValue >= other.rawValue ? self : other }
}
