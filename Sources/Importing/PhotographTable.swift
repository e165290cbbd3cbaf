import Cohorts
import Files
import Foundation

/// The labels of the photographs of a folder.
struct PhotographTable {
    let hasPatients: Bool
    private(set) var labels: [String: PhotographLabels] = [:]
    /// Photographs whose row writes their name in other capitals or in another Unicode form.
    private(set) var renamed: [ImportReport.Renamed] = []
    /// The names in rows that have no photograph, in the order of the table.
    private(set) var unusedRows: [String] = []
    /// Names in rows of which each could mean the same photograph, which therefore has no row.
    private(set) var ambiguous: [String: [String]] = [:]
    /// A sentence on what the map may lack, where rows name photographs without their suffix; nil otherwise.
    private(set) var hint: String?

    /// A row names a photograph by its path in the folder. The name alone suffices if only one photograph has that
    /// name. Rows that name no photograph in this way may name one that has no row, in other capitals.
    /// - Throws: `Failure(.badData)` for a row that may name several photographs.
    init(_ labelled: (map: LabelMap, labels: [String: PhotographLabels]), photographs: [String]) throws {
        hasPatients = labelled.map.patient != nil
        // Swift's texts are equal if only their Unicode form differs.
        let exact = Names(photographs) { $0 }
        var unmatched: [(name: String, entry: PhotographLabels)] = []
        for (name, entry) in labelled.labels.sorted(by: { $0.value.line < $1.value.line }) {
            if let path = try exact.path(for: name, map: labelled.map.name) {
                add(entry, named: name, to: path)
            } else {
                unmatched.append((name, entry))
            }
        }
        let folded = Names(photographs.filter { labels[$0] == nil }) { $0.lowercased() }
        let found = try unmatched.map { try folded.path(for: $0.name, map: labelled.map.name) }
        // Two rows whose names differ in capitals alone do not say which of them is meant.
        var meant: [String: [String]] = [:]
        for (row, path) in zip(unmatched, found) { if let path { meant[path, default: []].append(row.name) } }
        ambiguous = meant.filter { $0.value.count > 1 }
        for (row, path) in zip(unmatched, found) {
            if let path, ambiguous[path] == nil {
                add(row.entry, named: row.name, to: path)
            } else {
                unusedRows.append(row.name)
            }
        }
        hint = suffixHint(photographs, column: labelled.map.file.column)
    }

    private mutating func add(_ entry: PhotographLabels, named name: String, to path: String) {
        labels[path] = labels[path].map { $0.merged(entry) } ?? entry
        if !path.utf8.elementsEqual(name.utf8), !path.hasSuffixBytes("/" + name) {
            renamed.append(.init(file: path, inTable: name))
        }
    }

    /// Looks for rows without a photograph that name one without its suffix.
    private func suffixHint(_ photographs: [String], column: String) -> String? {
        let stems = Names(photographs.filter { labels[$0] == nil }) { path in
            path.lastIndex(of: ".").map { String(path[..<$0]) } ?? path
        }
        for name in unusedRows.prefix(1000) where !PhotographFolder.isPhotograph(name) {
            guard let path = (try? stems.path(for: name, map: "")) ?? nil else { continue }
            return """
                the table seems to name photographs without their suffix (\"\(name.excerpt)\" for \(path)): write \
                file: {column: \(column.excerpt), suffix: .\((path as NSString).pathExtension)} in the map
                """
        }
        return nil
    }
}

/// Finds photographs by their path, or by their name alone where only one has that name.
private struct Names {
    private let form: (String) -> String
    private var paths: [String: [String]] = [:]
    private var names: [String: [String]] = [:]

    /// - Parameter form: what is compared of a path or a name.
    init(_ photographs: [String], form: @escaping (String) -> String) {
        self.form = form
        for path in photographs {
            paths[form(path), default: []].append(path)
            names[form((path as NSString).lastPathComponent), default: []].append(path)
        }
    }

    /// The photograph that a row names; nil if there is none.
    /// - Throws: `Failure(.badData)` if there are several.
    func path(for name: String, map: String) throws -> String? {
        let found = paths[form(name)] ?? names[form(name)] ?? []
        guard found.count > 1 else { return found.first }
        let choices = found.prefix(5).map { "\"\($0)\"" }.joined(separator: " or ")
        throw Failure(
            .badData, map, "\"\(name)\" in the table may be \(choices); write the path in the folder")
    }
}

extension String {
    fileprivate func hasSuffixBytes(_ suffix: String) -> Bool {
        utf8.count >= suffix.utf8.count && utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }
}
