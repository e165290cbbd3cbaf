/// What stands between two cells of a row.
public enum TableSeparator: Sendable, Hashable, CaseIterable {
    case comma, semicolon, tab, pipe
    /// One or more spaces. Only a map can say so; it is never guessed.
    case space

    var byte: UInt8 {
        switch self {
        case .comma: UInt8(ascii: ",")
        case .semicolon: UInt8(ascii: ";")
        case .tab: UInt8(ascii: "\t")
        case .pipe: UInt8(ascii: "|")
        case .space: UInt8(ascii: " ")
        }
    }

    /// In the plural, for messages.
    public var name: String {
        switch self {
        case .comma: "commas"
        case .semicolon: "semicolons"
        case .tab: "tabs"
        case .pipe: "vertical bars"
        case .space: "spaces"
        }
    }

    /// The separator that a map writes as this text; nil for another text.
    init?(_ text: String) {
        guard text.utf8.count == 1, let found = Self.allCases.first(where: { $0.byte == text.utf8.first }) else {
            return nil
        }
        self = found
    }

    /// The separator of a table, told from its header and its first rows.
    ///
    /// Separators in quotes do not count. Where the header holds several kinds, that one is taken that cuts the most
    /// rows into as many cells as the header, and of several such ones the one with the most cells.
    static func guess(_ table: ArraySlice<UInt8>) -> TableSeparator {
        var counts: [UInt8: Int] = [:]
        var isQuoted = false
        for byte in table {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if isQuoted { continue }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { break }
            counts[byte, default: 0] += 1
        }
        let candidates = allCases.filter { $0 != .space && counts[$0.byte] != nil }
        guard candidates.count > 1 else { return candidates.first ?? .comma }
        var best: (separator: TableSeparator, share: Double, cells: Int)?
        for candidate in candidates {
            var parser = CSVParser(name: "", separator: candidate)
            let records = ((try? parser.parse(table, most: 50)) ?? []).filter { !$0.isBlank }
            guard let header = records.first else { continue }
            let fitting = records.count { $0.cells.count == header.cells.count }
            let share = Double(fitting) / Double(records.count)
            if best.map({ (share, header.cells.count) > ($0.share, $0.cells) }) ?? true {
                best = (candidate, share, header.cells.count)
            }
        }
        return best?.separator ?? .comma
    }
}
