import ArgumentParser
import Files
import Fovea

/// A command that makes one job and prints its events.
protocol JobCommand: AsyncParsableCommand {
    associatedtype Work: Job
    var common: CommonOptions { get }
    /// Makes the job from the options.
    /// - Throws: `Failure(.usage)` where options exclude each other.
    func job() throws -> Work
}

extension JobCommand {
    func run() async throws { try await common.run(try job()) }
}

/// The options that every command takes.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Print one JSON object on standard output; messages go to standard error.") var json = false
    @Option(help: .value("n", "Threads to work on (default: the cores that this process may use).")) var threads: Int?
    @Flag(help: "No progress and no messages but errors.") var quiet = false
    @Flag(help: "Replace outputs that exist.") var force = false

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads: expected 1 to 1024, found \(threads)")
        }
    }

    var threadCount: Int { threads ?? Machine.availableCores }

    var console: Console { Console(isQuiet: quiet, isJSON: json) }

    /// Runs a job, and prints its events and its outcome.
    /// - Throws: what the job throws, and the outcome's refusal.
    func run<Work: Job>(_ job: Work) async throws {
        Machine.setThreads(upTo: threadCount)
        let run = job.run(), display = ProgressDisplay(isQuiet: quiet)
        Signals.cancel { run.cancel() }
        defer { display.end() }
        for try await event in run {
            switch event {
            case .progress(let progress): display.show(progress)
            case .note(let sentence):
                display.end()
                console.say(sentence)
            case .warning(let sentence):
                display.end()
                console.warn("warning: " + sentence)
            case .finished(let outcome):
                display.end()
                try console.finish(outcome, outcome.lines)
                outcome.warnings.forEach(console.warn)
                outcome.advice.forEach { console.say($0.commandLine) }
                if let refusal = outcome.refusal { throw refusal }
            }
        }
    }
}

extension ArgumentHelp {
    /// The help on an option, with the name of its value.
    static func value(_ name: String, _ text: String) -> ArgumentHelp { ArgumentHelp(text, valueName: name) }
}
