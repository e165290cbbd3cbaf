import Yams

/// Reads YAML that comes from outside.
public enum YAMLText {
    /// Parses a text into its nodes.
    /// - Parameter name: the file's name, for errors.
    /// - Returns: nil for a text without content.
    /// - Throws: `Failure(.badData)` with the line for anchors and aliases, keys that occur twice, and text that is
    ///   not YAML.
    public static func parse(_ yaml: String, name: String) throws -> Node? {
        try refuseAnchors(yaml, name: name)
        do {
            return try Yams.compose(yaml: yaml)
        } catch let YamlError.duplicatedKeysInMapping(duplicates, context) {
            throw Failure(
                .badData, "\(name) line \(context.mark.line)",
                "the key \(duplicates.map(\.excerpt).joined(separator: ", ")) occurs twice")
        } catch let YamlError.parser(_, problem, mark, _) {
            throw Failure(.badData, "\(name) line \(mark.line)", "is not YAML: \(problem)")
        } catch let YamlError.scanner(_, problem, mark, _) {
            throw Failure(.badData, "\(name) line \(mark.line)", "is not YAML: \(problem)")
        } catch let YamlError.reader(problem, _, _, _) {
            throw Failure(.badData, name, "is not YAML: \(problem)")
        } catch {
            // The error's own text can hold lines of the file.
            throw Failure(.badData, name, "is not YAML")
        }
    }

    /// Refuses anchors and aliases. Aliases can make a small file grow without end, and the parser resolves them
    /// without saying so; they are therefore looked for in the text.
    ///
    /// Looking at `Node.anchor` after parsing would be too late: the parser hashes keys, and a key that is an alias of
    /// aliases takes 0.03 s at a depth of 16, 0.44 s at a depth of 20, and 16 times more for each 4 levels (Yams 6.2).
    ///
    /// `&` and `*` mean an anchor or alias at the start of a value, outside quotes and comments, if a name follows.
    ///
    /// The text is searched twice: once as if quotes ended with their line, and once as if they went on. The parser
    /// sees quotes in one of these two ways.
    private static func refuseAnchors(_ yaml: String, name: String) throws {
        for quotesGoOn in [false, true] { try refuseAnchors(yaml, name: name, quotesGoOn: quotesGoOn) }
    }

    private static func refuseAnchors(_ yaml: String, name: String, quotesGoOn: Bool) throws {
        var quote: Character?
        // Every character that YAML takes for the end of a line.
        for (index, line) in yaml.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            if !quotesGoOn { quote = nil }
            var before: Character = " "
            let characters = Array(line)
            for (position, character) in characters.enumerated() {
                let startsValue = " \t[{,:-".contains(before)
                if let open = quote {
                    if character == open, open == "'" || before != "\\" { quote = nil }
                    if open == "\"", character == "\\", before == "\\" {
                        before = " "  // an escaped backslash escapes nothing
                        continue
                    }
                } else if startsValue, character == "\"" || character == "'" {
                    quote = character
                } else if character == "#", before == " " || before == "\t" {
                    break
                } else if startsValue, character == "&" || character == "*", position + 1 < characters.count,
                    !characters[position + 1].isWhitespace
                {
                    throw Failure(
                        .badData, "\(name) line \(index + 1)",
                        "uses a YAML anchor or alias; write the value out in each place, or put text in quotes")
                }
                before = character
            }
        }
    }
}
