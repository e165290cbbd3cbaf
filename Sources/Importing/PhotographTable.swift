import Cohorts
import DICOMFiles
import Files
import Foundation

/// The labels of the photographs of a folder.
struct PhotographTable {
    let hasPatients: Bool
    private(set) var labels: [String: PhotographLabels] = [:]
    /// Photographs whose row writes their name in another way: other capitals, another folder or another Unicode form.
    private(set) var renamed: [ImportReport.Renamed] = []
    /// The names in rows that have no photograph, in the order of the table.
    private(set) var unusedRows: [String] = []
    /// Photographs for which the table has no row.
    private(set) var withoutRow: [String] = []
    /// Names in rows of which each could mean the same photograph, which therefore has no row.
    private var ambiguous: [String: [String]] = [:]
    private var rowless: Set<String> = []
    /// Why few rows name a photograph, or what the map may lack; nil where nothing is wrong.
    private(set) var hint: String?
    private let patient: LabelMap.Patient?
    /// The attributes that come from headers.
    private let ofHeader: [String]

    /// A row names a photograph by its path in the folder. The name alone suffices if only one photograph has that
    /// name. Rows that name no photograph in this way may name one that has no row, in other words (`PhotographNames`).
    /// - Parameters:
    ///   - folder: the folder of the photographs.
    ///   - mayBeOfOthers: whether no row needs to name one of these photographs.
    /// - Throws: `Failure(.badData)` if no row names a photograph, for a row that may name several, and for a path of
    ///   which the map does not say what it means.
    init(_ stated: StatedLabels, photographs: [String], folder: String, mayBeOfOthers: Bool = false) throws {
        patient = stated.map.patient
        hasPatients = patient != nil
        ofHeader = stated.map.attributes.filter { $0.source == .header }.map(\.attribute.name)
        if let table = stated.table {
            try match(stated, photographs, folder: folder)
            withoutRow = photographs.filter { labels[$0] == nil }
            rowless = Set(withoutRow)
            let hint = suffixHint(columns: stated.map.files.map(\.column))
            if labels.isEmpty, !mayBeOfOthers {
                throw Failure(
                    .badData, table,
                    stated.rows.isEmpty
                        ? "has no rows behind the header"
                        : "no row names a photograph of \(folder); " + examples(photographs)
                            + (hint.map { "; \($0)" } ?? ""))
            }
            self.hint = hint ?? fewHint(stated, photographs)
        }
        guard stated.map.readsPaths || !stated.map.readsTable, !photographs.isEmpty else { return }
        for (path, found) in try stated.map.labels(ofPaths: photographs) {
            labels[path] = labels[path].map { $0.merged(found) } ?? found
        }
    }

    /// Finds the photograph of each row.
    private mutating func match(_ stated: StatedLabels, _ photographs: [String], folder: String) throws {
        // Swift's texts are equal if only their Unicode form differs.
        let exact = PhotographNames(photographs)
        var unmatched: [(name: String, entry: PhotographLabels)] = []
        for (name, entry) in stated.rows.sorted(by: { ($0.value.line, $0.key) < ($1.value.line, $1.key) }) {
            if let path = try exact.path(for: name, map: stated.map.name) {
                add(entry, named: name, to: path)
            } else {
                unmatched.append((name, entry))
            }
        }
        let loose = LooseNames(photographs.filter { labels[$0] == nil }, folder: folder)
        let found = try unmatched.map { try loose.match($0.name, map: stated.map.name) }
        // Several rows that could mean one photograph: the one that agrees in the most folders is meant, if it is one.
        var best: [String: (agreement: Int, rows: [String])] = [:]
        for (row, match) in zip(unmatched, found) {
            guard let match else { continue }
            let before = best[match.path] ?? (-1, [])
            if match.agreement > before.agreement {
                best[match.path] = (match.agreement, [row.name])
            } else if match.agreement == before.agreement {
                best[match.path] = (match.agreement, before.rows + [row.name])
            }
        }
        ambiguous = best.filter { $0.value.rows.count > 1 }.mapValues(\.rows)
        for (row, match) in zip(unmatched, found) {
            if let match, best[match.path]?.rows == [row.name] {
                add(row.entry, named: row.name, to: match.path)
            } else {
                unusedRows.append(row.name)
            }
        }
    }

    private mutating func add(_ entry: PhotographLabels, named name: String, to path: String) {
        labels[path] = labels[path].map { $0.merged(entry) } ?? entry
        let plain = PhotographNames.plain(name)
        if !path.utf8.elementsEqual(plain.utf8), !path.hasSuffixBytes("/" + plain) {
            renamed.append(.init(file: path, inTable: name))
        }
    }

    /// The labels of a photograph, with what the map takes from its header.
    func labels(of photograph: String, header: DICOMHeader?) -> PhotographLabels {
        var found = labels[photograph] ?? PhotographLabels(cohort: Cohort(), patient: nil, line: 0)
        for name in ofHeader { found.cohort[name] = header?.cohort[name] }
        if patient == .header { found.patient = header?.patient }
        return found
    }

    /// The line of the table that names a photograph; nil if there is none.
    func line(of photograph: String) -> Int? { labels[photograph].flatMap { $0.line > 0 ? $0.line : nil } }

    /// Why the patient of a photograph is unknown.
    func reasonWithoutPatient(_ photograph: String) -> String {
        if patient == .header { return "it has no DICOM header that names one" }
        if case .path(let pattern) = patient { return "the map's pattern \(pattern.text) matches no part of its path" }
        if let labels = labels[photograph], !rowless.contains(photograph) {
            return labels.conflicts.contains("patient")
                ? "rows of the table name two patients" : "line \(labels.line) of the table names no patient"
        }
        guard let rows = ambiguous[photograph] else { return "the table has no row for it" }
        return rows.prefix(3).map { "\"\($0)\"" }.joined(separator: " and ") + " in the table could mean it"
    }

    // MARK: Hints

    /// Three names of both sides.
    private func examples(_ photographs: [String]) -> String {
        func some(_ names: [String]) -> String {
            names.prefix(3).map { "\"\($0.excerpt)\"" }.joined(separator: ", ") + (names.count > 3 ? ", ..." : "")
        }
        return "the table names \(some(unusedRows)), and the folder holds \(some(photographs))"
    }

    /// A sentence for a table and a folder of which less than half fits together.
    private func fewHint(_ stated: StatedLabels, _ photographs: [String]) -> String? {
        guard labels.count * 2 < photographs.count, unusedRows.count * 2 > stated.rows.count else { return nil }
        return """
            only \(labels.count) of \(photographs.count) photographs have a row in the table: \
            \(examples(withoutRow))
            """
    }

    /// Looks for rows without a photograph that name one without its suffix.
    private func suffixHint(columns: [String]) -> String? {
        let stems = PhotographNames(withoutRow) { path in
            path.lastIndex(of: ".").map { String(path[..<$0]) } ?? path
        }
        for name in unusedRows.prefix(1000) where !PhotographFolder.isPhotograph(name) {
            guard let path = (try? stems.path(for: name, map: "")) ?? nil else { continue }
            let column = columns.map(\.excerpt).joined(separator: " or ")
            return """
                the table seems to name photographs without their suffix (\"\(name.excerpt)\" for \(path)): write \
                file: {column: \(column), suffix: .\((path as NSString).pathExtension)} in the map
                """
        }
        return nil
    }
}

extension String {
    fileprivate func hasSuffixBytes(_ suffix: String) -> Bool {
        utf8.count >= suffix.utf8.count && utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }
}
