import Files
import Foundation

/// Writes what a command says: results to standard output, everything else to standard error.
struct Console: Sendable {
    let isQuiet: Bool
    let isJSON: Bool

    /// Writes a line for a person. With `--quiet` nothing is written; with `--json` the line goes to standard error.
    func say(_ line: String) {
        if isQuiet { return }
        Console.put(Console.cleaned(line) + "\n", on: isJSON ? .standardError : .standardOutput)
    }

    /// Writes a line that somebody has to act on, in red on a terminal, whatever the flags are.
    func warn(_ line: String) {
        let text = Console.cleaned(line), isColoured = isatty(STDERR_FILENO) == 1
        let plain = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } == true
        Console.put(isColoured && !plain ? "\u{1B}[31m\(text)\u{1B}[0m\n" : text + "\n", on: .standardError)
    }

    /// Writes the command's result: with `--json`, `object` as JSON on one line with sorted keys; otherwise `lines`.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    func finish(_ object: some Encodable, _ lines: [String]) throws {
        guard isJSON else {
            lines.forEach(say)
            return
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(object)
        data.append(0x0A)
        do {
            try FileHandle.standardOutput.write(contentsOf: data)
        } catch {
            throw Failure(.readOrWriteFailed, "standard output", "could not be written: \(SystemReason.text(error))")
        }
    }

    /// Writes an error, whatever the flags are.
    static func complain(_ sentence: String) {
        put("fovea: \(cleaned(sentence))\n", on: .standardError)
    }

    /// Writes text for a person. A terminal or a `head` that has gone away is no reason to stop, so errors are ignored.
    static func put(_ text: String, on handle: FileHandle) {
        try? handle.write(contentsOf: Data(text.utf8))
    }

    /// The text without characters that could steer the terminal: names of files come from outside.
    private static func cleaned(_ text: String) -> String { text.printable }
}
