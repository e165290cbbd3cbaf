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

        var photographs: [Photograph]? = nil
        var links: ImportReport.Links? = nil
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
        guard !file.info.isDrawn else {
            throw Failure(.badData, path, "holds drawn pictures, to which photographs cannot be added")
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
        guard photographs.count == rows, photographs.enumerated().allSatisfy({ $0 == $1.row }),
            report.links?.copies.allSatisfy({ (0..<rows).contains($0.row) }) ?? true
        else {
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

    /// The files from which its photographs were imported, and those that were dropped as copies, as far as a report
    /// says so.
    var files: [String] { records.compactMap(\.file) + (links?.copies.map(\.file) ?? []) }

    /// The rows that files of these pixels gave, those of dropped copies as well.
    var rowsOfSources: [Digest: Int] {
        var rows: [Digest: Int] = [:]
        for copy in links?.copies ?? [] { rows[copy.digest] = copy.row }
        for (row, record) in records.enumerated() { if let source = record.source { rows[source] = row } }
        return rows
    }

    /// What the report of its import says for later ones; nil if there is none, or one of version 0.1.
    var links: ImportReport.Links? { report.links }

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
        if !info.onePatientPerPhoto, report.photographs == nil {
            throw Failure(
                .usage, path,
                """
                the report of its import (\(ImportedPhotographs.reportPath(for: path))) is missing or from another \
                program; without it nobody knows how its patients were named
                """)
        }
        // Told before hours of reading.
        if let check = links?.secretCheck, importer.keepsSecret, let secret = importer.secret,
            check != PatientKeys(secret: secret).check
        {
            throw Failure(
                .usage, path, option: "patientSecret", "its patients were named with another patient secret")
        }
    }

    /// Joins patients of new photographs with those of the data set: by the site's secret, or else where the table has
    /// rows of photographs that are in the data set already.
    /// - Parameters:
    ///   - names: the patients of the new photographs, as the site names them.
    ///   - secret: what the site keeps; nil if it was not given.
    ///   - name: the patient whom the table names for a file from which the data set was made, with the digest of its
    ///     pixels.
    /// - Returns: whether all patients' keys in the data set were made with this secret.
    /// - Throws: `Failure(.usage)` if nothing can tell whether a new patient is in the data set already.
    func join(
        _ names: Set<String>, _ groups: inout PatientGroups, secret: SecretBytes?,
        name: (String, Digest?) -> String?
    ) throws -> Bool {
        if info.onePatientPerPhoto { return secret != nil }
        // Files of two folders may have the same name, so their names do not count where the keys tell everything.
        if try joinByKeys(names, &groups, secret) { return true }
        var linked = 0
        for record in records {
            if let name = record.file.flatMap({ name($0, record.source) }) {
                groups.join(BaseDataset.group(record.patient), name)
                linked += 1
            }
        }
        for copy in links?.copies ?? [] {
            if let name = name(copy.file, copy.digest) {
                groups.join(BaseDataset.group(records[copy.row].patient), name)
            }
        }
        if linked == records.count { return false }
        throw Failure(
            .usage, path, option: "patientSecret",
            """
            nothing tells whether patients of the new photographs are in it already: give the patient secret with \
            which it was imported, or a table that also has the rows of all its photographs (this one has \(linked) \
            of \(records.count))
            """)
    }

    /// Joins the patients whose keys are in the data set.
    /// - Returns: whether all its keys were made with this secret. Of a data set of version 0.1, one key shows it.
    private func joinByKeys(_ names: Set<String>, _ groups: inout PatientGroups, _ secret: SecretBytes?) throws -> Bool
    {
        guard let secret else { return false }
        let own = Set(records.map(\.patient)), keys = PatientKeys(secret: secret)
        if let links {
            // Some or all of its keys were made with a secret that was drawn and forgotten.
            if links.secretCheck == nil { return false }
        }
        var isOwn = links != nil
        for name in names {
            // Version 0.1 took names as the table wrote them.
            let spellings = links == nil ? [name, name + ".0", name.decomposedStringWithCanonicalMapping] : [name]
            for key in spellings.map(keys.key(of:)) {
                let known = links?.otherKeys[key] ?? key
                if own.contains(known) {
                    groups.join(BaseDataset.group(known), name)
                    isOwn = true
                }
            }
        }
        return isOwn
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
