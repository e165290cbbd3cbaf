import Files

/// Takes the text of a table apart. Only the separator, the quote, and the line ends CR, LF and CRLF have a meaning. It
/// works on bytes, because a Character of Swift may be a separator together with a sign that combines with it.
struct CSVParser {
    /// A row with the line on which it starts.
    struct Record {
        let line: Int
        let cells: [String]

        /// Whether the row has no content.
        var isBlank: Bool { cells.allSatisfy(\.isEmpty) }
    }

    private static let quote = UInt8(ascii: "\""), space = UInt8(ascii: " "), tab = UInt8(ascii: "\t")
    private static let feed = UInt8(ascii: "\n"), carriageReturn = UInt8(ascii: "\r")

    private let name: String
    private let separator: UInt8
    private var records: [Record] = []
    private var cells: [String] = []
    private var cell: [UInt8] = []
    private var wasQuoted = false
    private var line: Int
    private var recordLine: Int

    /// - Parameters:
    ///   - name: the file's name, for errors.
    ///   - line: the line of the file on which the text starts.
    init(name: String, separator: TableSeparator, line: Int = 1) {
        self.name = name
        self.separator = separator.byte
        (self.line, recordLine) = (line, line)
    }

    /// - Parameter most: the number of rows after which it stops.
    /// - Throws: `Failure(.badData)` with the line for a quote that is never closed, and for text behind a closing
    ///   quote.
    mutating func parse(_ text: ArraySlice<UInt8>, most: Int = .max) throws -> [Record] {
        var isQuoted = false
        var position = text.startIndex
        while position < text.endIndex, records.count < most {
            let byte = text[position]
            position += 1
            if isQuoted {
                if byte != Self.quote {
                    // CRLF is counted at its CR.
                    let isEnd = byte == Self.carriageReturn || byte == Self.feed && before(position - 1, text) != 13
                    if isEnd { line += 1 }
                    cell.append(byte)
                } else if position < text.endIndex, text[position] == Self.quote {
                    cell.append(byte)
                    position += 1
                } else {
                    (isQuoted, wasQuoted) = (false, true)
                }
            } else if byte == separator {
                // Several spaces are one separator.
                if separator != Self.space || !cell.isEmpty || wasQuoted { endCell() }
            } else if byte == Self.carriageReturn || byte == Self.feed {
                if byte == Self.carriageReturn, position < text.endIndex, text[position] == Self.feed { position += 1 }
                endRecord()
                line += 1
                recordLine = line
            } else if byte == Self.quote, !wasQuoted, cell.allSatisfy({ $0 == Self.space }) {
                cell = []
                isQuoted = true
            } else if wasQuoted {
                guard byte == Self.space || byte == Self.tab else {
                    let rest = String(decoding: text[(position - 1)...].prefix(4), as: UTF8.self)
                    throw Failure(
                        .badData, "\(name) line \(line)",
                        "\"\(rest.prefix(1))\" follows a closing quote; a quote inside quotes is written twice")
                }
            } else {
                cell.append(byte)
            }
        }
        if isQuoted, records.count < most {
            throw Failure(.badData, "\(name) line \(recordLine)", "a quote is opened and never closed")
        }
        if !cell.isEmpty || wasQuoted || !cells.isEmpty { endRecord() }
        return records
    }

    private func before(_ position: Int, _ text: ArraySlice<UInt8>) -> UInt8? {
        position > text.startIndex ? text[position - 1] : nil
    }

    private mutating func endCell() {
        cells.append(String(decoding: CSVParser.trimmed(cell), as: UTF8.self))
        cell.removeAll(keepingCapacity: true)
        wasQuoted = false
    }

    private mutating func endRecord() {
        // Spaces at the end of a row that spaces separate are no cell.
        if separator != Self.space || !cell.isEmpty || wasQuoted || cells.isEmpty { endCell() }
        records.append(Record(line: recordLine, cells: cells))
        cells = []
    }

    /// A cell without the spaces, tabs and no-break spaces around it.
    private static func trimmed(_ cell: [UInt8]) -> ArraySlice<UInt8> {
        var rest = cell[...]
        while true {
            if let first = rest.first, first == space || first == tab {
                rest = rest.dropFirst()
            } else if rest.starts(with: noBreakSpace) {
                rest = rest.dropFirst(noBreakSpace.count)
            } else if let last = rest.last, last == space || last == tab {
                rest = rest.dropLast()
            } else if rest.suffix(noBreakSpace.count).elementsEqual(noBreakSpace) {
                rest = rest.dropLast(noBreakSpace.count)
            } else {
                return rest
            }
        }
    }

    private static let noBreakSpace: [UInt8] = [0xC2, 0xA0]
}
