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
            let nearest =
                others[argument] ?? nested(argument, in: known) ?? Spelling.nearest(to: argument, among: names)
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
}
