import Files
import Foundation

/// A CSV file (RFC 4180) with a header: quotes, line ends inside quotes, a byte order mark, and CRLF, LF or CR line
/// ends.
public struct LabelMapTable: Sendable {
    /// One row, and the line of the file on which it starts (the header is line 1).
    public struct Row: Sendable {
        public let line: Int
        /// One cell for each column, without white space around it.
        public let cells: [String]
    }

    /// The file's name, for messages.
    public let name: String
    public let columns: [String]
    public let rows: [Row]

    /// Reads a table from a file.
    /// - Throws: `Failure`: `.noSuchInput`; `.readOrWriteFailed`; `.badData` for text that is not UTF-8 and for what
    ///   the other initialiser refuses.
    public init(contentsOf path: String, separator: Character? = nil) throws {
        guard FileManager.default.fileExists(atPath: path) else { throw Failure(.noSuchInput, path, "does not exist") }
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw Failure(.readOrWriteFailed, path, "could not be read: \((error as NSError).localizedDescription)")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw Failure(.badData, path, "is not UTF-8 text; export the table as CSV in UTF-8")
        }
        try self.init(text, name: path, separator: separator)
    }

    /// Reads a table from text.
    /// - Parameter separator: nil chooses comma, semicolon or tab, whichever the header holds most often.
    /// - Throws: `Failure(.badData)` with the line for an unclosed quote, text behind a closing quote, a row with
    ///   more or fewer cells than the header, a column that is named twice, or a missing header.
    public init(_ text: String, name: String, separator: Character? = nil) throws {
        self.name = name
        let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        let header = text.prefix { !$0.isNewline }
        let separator =
            separator ?? [",", ";", "\t"].max { a, b in
                header.count { $0 == a } < header.count { $0 == b }
            }!
        var parser = CSVParser(name: name, separator: separator)
        var parsed = try parser.parse(text).filter { $0.cells != [""] }
        guard !parsed.isEmpty else {
            throw Failure(.badData, name, "is empty; a header with the columns' names was expected")
        }
        columns = parsed.removeFirst().cells
        var seen: Set<String> = []
        for column in columns where !seen.insert(column).inserted {
            throw Failure(.badData, "\(name) line 1", "the column \"\(column.excerpt)\" occurs twice")
        }
        for row in parsed where row.cells.count != columns.count {
            throw Failure(
                .badData, "\(name) line \(row.line)", field: "cells", expected: "\(columns.count) as in the header",
                found: "\(row.cells.count)")
        }
        rows = parsed
    }

    /// The index of `column`.
    /// - Throws: `Failure(.badData)` that lists the table's columns if `column` is not one of them.
    public func index(of column: String) throws -> Int {
        guard let index = columns.firstIndex(of: column) else {
            let most = 30
            let there = columns.prefix(most).map { "\"\($0.excerpt)\"" }.joined(separator: ", ")
            let rest = columns.count > most ? " and \(columns.count - most) more" : ""
            throw Failure(.badData, name, "has no column \"\(column.excerpt)\"; its columns are \(there)\(rest)")
        }
        return index
    }
}

/// Splits CSV text into rows.
private struct CSVParser {
    let name: String
    let separator: Character
    private var rows: [LabelMapTable.Row] = []
    private var cells: [String] = []
    private var line = 1
    private var rowLine = 1

    init(name: String, separator: Character) {
        self.name = name
        self.separator = separator
    }

    mutating func parse(_ text: String) throws -> [LabelMapTable.Row] {
        var cell = ""
        var isQuoted = false, wasQuoted = false
        // Swift takes "\r\n" for one Character, as it does "\r" and "\n".
        let characters = Array(text)
        var position = 0
        while position < characters.count {
            let character = characters[position]
            position += 1
            if isQuoted {
                if character == "\"" {
                    if position < characters.count, characters[position] == "\"" {
                        cell.append("\"")
                        position += 1
                    } else {
                        isQuoted = false
                        wasQuoted = true
                    }
                } else {
                    if character.isNewline { line += 1 }
                    cell.append(character)
                }
            } else if character == separator {
                end(&cell, &wasQuoted)
            } else if character.isNewline {
                end(&cell, &wasQuoted)
                endRow()
                line += 1
                rowLine = line
            } else if character == "\"", !wasQuoted, cell.allSatisfy({ $0 == " " }) {
                cell = ""
                isQuoted = true
            } else if wasQuoted {
                guard character == " " || character == "\t" else {
                    throw Failure(
                        .badData, "\(name) line \(line)",
                        "\"\(character)\" follows a closing quote; a quote inside quotes is written twice")
                }
            } else {
                cell.append(character)
            }
        }
        if isQuoted { throw Failure(.badData, "\(name) line \(rowLine)", "a quote is opened and never closed") }
        if !cell.isEmpty || wasQuoted || !cells.isEmpty {
            end(&cell, &wasQuoted)
            endRow()
        }
        return rows
    }

    private mutating func end(_ cell: inout String, _ wasQuoted: inout Bool) {
        cells.append(cell.trimmingCharacters(in: .whitespaces))
        cell = ""
        wasQuoted = false
    }

    private mutating func endRow() {
        rows.append(.init(line: rowLine, cells: cells))
        cells = []
    }
}
