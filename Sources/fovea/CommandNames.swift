import ArgumentParser
import Files

/// Checks the names of commands, and finds the command that was probably meant.
package enum CommandNames {
    /// Names that people know from other programs.
    private static let others = ["version": "--version"]

    /// - Parameter arguments: the arguments after the program's name.
    /// - Throws: `Failure(.usage)` where a command is named that does not exist.
    package static func requireKnown(_ arguments: [String]) throws {
        var command: any ParsableCommand.Type = FoveaCommand.self, path = "fovea"
        for argument in arguments {
            let known = command.configuration.subcommands.filter { $0.configuration.shouldDisplay }
            // Options end the names, and a command with a default takes a file in the place of a name.
            guard !known.isEmpty, !argument.hasPrefix("-"), argument != "help" else { return }
            if let next = command.configuration.subcommands.first(where: { name(of: $0) == argument }) {
                (command, path) = (next, "\(path) \(argument)")
                continue
            }
            guard command.configuration.defaultSubcommand == nil else { return }
            let names = known.map(name)
            let nearest = others[argument] ?? nested(argument, in: known) ?? nearest(to: argument, among: names)
            throw Failure(
                .usage, nil,
                "\(path) has no command \(argument.excerpt); "
                    + (nearest.map { "did you mean \(path) \($0)?" } ?? "there are \(names.joined(separator: ", "))"))
        }
    }

    /// A command of this very name below another one, such as `parcel seal` for `seal`.
    private static func nested(_ word: String, in commands: [any ParsableCommand.Type]) -> String? {
        commands.first { $0.configuration.subcommands.contains { name(of: $0) == word } }.map {
            name(of: $0) + " " + word
        }
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? command._commandName
    }

    /// The name with the fewest edits; nil where every name needs more than a third of its letters changed.
    package static func nearest(to word: String, among names: [String]) -> String? {
        let letters = Array(word.lowercased())
        let best = names.map { (name: $0, edits: edits(letters, Array($0))) }.min { $0.edits < $1.edits }
        guard let best, best.edits * 3 <= max(word.count, best.name.count) else { return nil }
        return best.name
    }

    /// The fewest insertions, deletions, substitutions and exchanges of neighbours that turn `a` into `b` (Damerau
    /// 1964, with each letter edited once).
    private static func edits(_ a: [Character], _ b: [Character]) -> Int {
        var rows = [Array(0...b.count)]
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var least = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, rows[i - 1][j - 1] + 1) }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
