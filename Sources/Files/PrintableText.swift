import Foundation

extension String {
    /// The text with `?` in place of everything that could steer a terminal: control characters (escape sequences, line
    /// ends), and invisible characters such as those that reverse the direction of writing. For names that come from
    /// outside.
    public var printable: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .lineSeparator, .paragraphSeparator, .surrogate: "?"
                    case .format: scalar == "\u{200D}" ? scalar : "?"
                    default: scalar
                    }
                }))
    }
}

extension String {
    /// The most characters of a value from outside that an error shows.
    public static let longestExcerpt = 80

    /// What an error shows of a value from outside: printable, and cut after `longestExcerpt` characters. A value in
    /// quotes keeps its closing quote.
    public var excerpt: String {
        guard hasPrefix("\""), hasSuffix("\""), count > 2 else { return cut }
        return "\"\(String(dropFirst().dropLast()).cut)\""
    }

    private var cut: String {
        // The prefix is taken first, because the text may be a whole file.
        let start = prefix(String.longestExcerpt)
        return start.endIndex == endIndex ? printable : String(start).printable + "..."
    }

    /// The longest sentence of a failure, for what comes from outside without quotes.
    private static let longestSentence = 3000

    /// A sentence of which every passage in quotes is an excerpt. The sentence is printable, and not longer than a
    /// paragraph.
    var withShortQuotations: String {
        var parts = components(separatedBy: "\"")
        // The passages at odd places are those in quotes.
        for place in stride(from: 1, to: parts.count, by: 2) { parts[place] = parts[place].cut }
        let whole = parts.joined(separator: "\"")
        let start = whole.prefix(String.longestSentence)
        return start.endIndex == whole.endIndex ? whole.printable : String(start).printable + "..."
    }
}
