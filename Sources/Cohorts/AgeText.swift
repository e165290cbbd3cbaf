import Foundation

/// The ages that a cell can mean. Exports top-code the ages of the oldest, because few people have them.
package enum AgeText {
    static let oldest = 130

    /// The ages in whole years that `cell` stands for; nil if it is no age. A fraction of a year is dropped.
    ///
    /// `48`, `48.0`, `48 years` and the `048Y` of DICOM are one age, `006M` are months, and `90+`, `>89`, `>=90`, `<10`
    /// and `40-49` are several.
    package static func years(_ cell: String) -> ClosedRange<Int>? {
        if let years = Int(CodeTable.whole(cell)) { return range(years, years) }
        // Some exports escape the sign as HTML does.
        let text = cell.replacingOccurrences(of: "&gt;", with: ">").replacingOccurrences(of: "&lt;", with: "<")
            .replacingOccurrences(of: "\u{2265}", with: ">=").replacingOccurrences(of: "\u{2264}", with: "<=")
        if let match = text.wholeMatch(of: /(>=|>|<=|<)\s*([0-9]+)(?:[.,]0+)?/), let limit = Int(match.2) {
            return switch match.1 {
            case ">": range(limit + 1, oldest)
            case ">=": range(limit, oldest)
            case "<": range(0, limit - 1)
            default: range(0, limit)
            }
        }
        if let match = text.wholeMatch(of: /([0-9]+)(?:[.,]0+)?\s*\+/), let limit = Int(match.1) {
            return range(limit, oldest)
        }
        if let match = text.wholeMatch(of: /([0-9]+)\s*[-\u{2013}]\s*([0-9]+)/) {
            guard let lower = Int(match.1), let upper = Int(match.2) else { return nil }
            return range(lower, upper)
        }
        if let match = text.wholeMatch(of: /([0-9]{1,3})([MWD])/), let count = Int(match.1) {
            let days = match.2 == "M" ? 30.4375 : match.2 == "W" ? 7 : 1.0
            let years = Int(Double(count) * days / 365.25)
            return range(years, years)
        }
        guard let match = text.wholeMatch(of: /([0-9]+)(?:[.,][0-9]+)?\s*(?i:y|years?|yrs?)?/), let years = Int(match.1)
        else { return nil }
        return range(years, years)
    }

    private static func range(_ lower: Int, _ upper: Int) -> ClosedRange<Int>? {
        0 <= lower && lower <= upper && upper <= oldest ? lower...upper : nil
    }
}

/// What the texts of an attribute mean. A whole number is the same with and without a fraction of zeros: programs for
/// tables write `2.0` into a column of which a cell is empty.
struct CodeTable {
    private let codes: [String: String]
    private var numbers: [String: Set<String>] = [:]

    init(_ codes: [String: String]) {
        self.codes = codes
        for (text, code) in codes { numbers[CodeTable.whole(text), default: []].insert(code) }
    }

    /// The code for `text`; nil if there is none.
    subscript(text: String) -> String? {
        if let code = codes[text] { return code }
        guard let alike = numbers[CodeTable.whole(text)], alike.count == 1 else { return nil }
        return alike.first
    }

    /// The texts that have a code, for errors.
    var texts: String { codes.keys.sorted().map { "\"\($0)\"" }.joined(separator: ", ") }

    /// A whole number without its fraction of zeros; another text as it is.
    static func whole(_ text: String) -> String {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let mark = text.utf8.lastIndex(where: { !digits.contains($0) }), ".,".utf8.contains(text.utf8[mark]),
            mark != text.startIndex, text[..<mark].utf8.allSatisfy(digits.contains)
        else { return text }
        let zeros = text[mark...].utf8.dropFirst()
        return !zeros.isEmpty && zeros.allSatisfy { $0 == digits.lowerBound } ? String(text[..<mark]) : text
    }
}
