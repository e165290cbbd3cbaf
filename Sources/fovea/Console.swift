import Files
import Foundation

/// What a command says, and where: results on standard output, everything else on standard error.
struct Console: Sendable {
    let isQuiet: Bool
    let isJSON: Bool

    /// A line for a person; silent with `--quiet`. With `--json` it goes to standard error.
    func say(_ line: String) {
        if isQuiet { return }
        Console.put(Console.cleaned(line) + "\n", on: isJSON ? .standardError : .standardOutput)
    }

    /// The command's result: `object` as JSON on one line with sorted keys where `--json` is given, otherwise `lines`.
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
            throw Failure(.readOrWriteFailed, "standard output", "could not be written: \(error.localizedDescription)")
        }
    }

    /// An error, whatever the flags.
    static func complain(_ sentence: String) {
        put("fovea: \(cleaned(sentence))\n", on: .standardError)
    }

    /// Writes text for a person, whose terminal or `head` may have gone away: that is no reason to stop.
    static func put(_ text: String, on handle: FileHandle) {
        try? handle.write(contentsOf: Data(text.utf8))
    }

    /// Names of files come from outside; nothing in them reaches the terminal that could steer it.
    private static func cleaned(_ text: String) -> String { text.printable }
}
