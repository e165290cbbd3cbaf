import Files
import Foundation

/// Checks that an output is not an input, which would then be lost.
enum OutputPath {
    /// - Throws: `Failure(.usage)` where `output` is one of `inputs`.
    static func requireOther(_ output: String, than inputs: [String]) throws {
        func real(_ path: String) -> String {
            URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
        }
        guard let same = inputs.first(where: { real($0) == real(output) }) else { return }
        throw Failure(.usage, output, "is an input, \(same); name another output")
    }
}
