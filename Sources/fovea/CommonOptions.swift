import ArgumentParser
import Files
import Foundation
import TensorCore

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Print one JSON object on standard output; messages go to standard error.")
    var json = false

    @Option(help: ArgumentHelp("Threads to work on (default: the cores that this process may use).", valueName: "n"))
    var threads: Int?

    @Flag(help: "No progress and no messages but errors.")
    var quiet = false

    @Flag(help: "Replace outputs that exist.")
    var force = false

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads: expected 1 to 1024, found \(threads)")
        }
    }

    /// Threads to work on.
    var threadCount: Int { threads ?? ComputeEnvironment.availableCores }

    /// Sets what is the process's. Call first.
    func apply() {
        ComputeEnvironment.threads = threadCount
    }

    var console: Console { Console(isQuiet: quiet, isJSON: json) }
}
