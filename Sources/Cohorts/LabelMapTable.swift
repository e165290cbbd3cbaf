import Files
import Foundation

/// A table of labels: CSV (RFC 4180) with a header, as Excel and databases write it.
///
/// The line `sep=;` of Excel is understood. Columns without a name and rows without content are left out.
public struct LabelMapTable: Sendable {
    /// One row, and the line of the file on which it starts.
    public struct Row: Sendable {
        public let line: Int
        /// One cell for each of the table's columns, without white space around it.
        public let cells: [String]
    }

    /// The file's name, for messages.
    public let name: String
    public let separator: TableSeparator
    /// The names of the columns in their order. A name may occur twice, as long as nobody asks for that column.
    public let columns: [String]
    public let rows: [Row]

    /// Reads a table from a file or a pipe.
    /// - Throws: `Failure`: `.noSuchInput`; `.readOrWriteFailed`; `.badData` for what is no text in UTF-8 or UTF-16,
    ///   and for what the other initialiser refuses.
    public init(contentsOf path: String, separator: TableSeparator? = nil, columns: [String]? = nil) throws {
        let advice = "save the table in Excel as \"CSV UTF-8 (Comma delimited)\", or export it as CSV in UTF-8"
        try self.init(
            try TableText.read(path, advice: advice)[...], name: path, separator: separator, columns: columns)
    }

    /// Reads a table from text.
    /// - Parameters:
    ///   - separator: nil tells it from the line `sep=`, or from the header and the first rows.
    ///   - columns: the names of the columns of a table that has no header; nil for a table that has one.
    /// - Throws: `Failure(.badData)` with the line for an unclosed quote, text behind a closing quote, a row with
    ///   more or fewer cells than the header, or a missing header.
    public init(_ text: String, name: String, separator: TableSeparator? = nil, columns: [String]? = nil) throws {
        let bytes = Array(text.utf8)
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        try self.init(
            bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...], name: name, separator: separator,
            columns: columns)
    }

    private init(
        _ text: ArraySlice<UInt8>, name: String, separator stated: TableSeparator?, columns named: [String]?
    ) throws {
        self.name = name
        let (ownSeparator, text) = LabelMapTable.separatorLine(text)
        separator = stated ?? ownSeparator ?? TableSeparator.guess(text)
        var parser = CSVParser(name: name, separator: separator, line: ownSeparator == nil ? 1 : 2)
        var records = try parser.parse(text).filter { !$0.isBlank }
        var header = named ?? []
        if named == nil {
            guard !records.isEmpty else {
                throw Failure(.badData, name, "is empty; a header with the columns' names was expected")
            }
            header = records.removeFirst().cells
        }
        for record in records where record.cells.count != header.count {
            // Further cells without content are what programs for tables leave behind.
            guard record.cells.count > header.count, record.cells[header.count...].allSatisfy(\.isEmpty) else {
                throw Failure(
                    .badData, "\(name) line \(record.line)", field: "cells separated by \(separator.name)",
                    expected: "\(header.count) as in the \(named == nil ? "header" : "map")",
                    found: "\(record.cells.count)")
            }
        }
        let places = header.indices.filter { !header[$0].isEmpty }
        columns = places.map { header[$0] }
        rows = records.map { record in Row(line: record.line, cells: places.map { record.cells[$0] }) }
    }

    /// The separator that a first line such as `sep=;` names, and the text behind that line.
    private static func separatorLine(_ text: ArraySlice<UInt8>) -> (TableSeparator?, ArraySlice<UInt8>) {
        let line = text.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard line.count <= 8 else { return (nil, text) }
        let words = String(decoding: line.filter { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
        guard words.lowercased().hasPrefix("sep="), let separator = TableSeparator(String(words.dropFirst(4))) else {
            return (nil, text)
        }
        let rest = text[line.endIndex...]
        return (separator, rest.dropFirst(rest.starts(with: [13, 10]) ? 2 : 1))
    }

    /// The index of `column`. White space around the name does not matter.
    /// - Throws: `Failure(.badData)` that lists the table's columns if `column` is not one of them, or if several are.
    public func index(of column: String) throws -> Int {
        let wanted = column.trimmingCharacters(in: .whitespaces)
        let found = columns.indices.filter { columns[$0] == wanted }
        guard found.count < 2 else {
            throw Failure(
                .badData, name,
                "has \(found.count) columns \"\(column.excerpt)\"; give each a name of its own, since one is needed")
        }
        guard let index = found.first else {
            let most = 30
            let there = columns.prefix(most).map { "\"\($0.excerpt)\"" }.joined(separator: ", ")
            let rest = columns.count > most ? " and \(columns.count - most) more" : ""
            throw Failure(
                .badData, name,
                "has no column \"\(column.excerpt)\"; separated by \(separator.name), its columns are \(there)\(rest)")
        }
        return index
    }
}
