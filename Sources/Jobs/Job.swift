import Files

/// One use of Fovea as a value: what is wanted, without doing anything yet.
///
/// Set its properties, then iterate over `run()`:
///
/// ```swift
/// for try await event in SampleJob(model: .init("base.safetensors"), count: 16, to: "s.h5").run() {
///     if case .finished(let result) = event { print(result.output) }
/// }
/// ```
///
/// Permissions, trust, ledgers and the isolation of files of others are enforced here: whoever runs a job, from
/// whichever front end, gets the same refusals. A job that throws or is cancelled leaves each output whole or absent.
public protocol Job: Sendable {
    associatedtype Outcome: JobOutcome

    /// Checks the values against each other; opens no file.
    /// - Throws: `Failure(.usage)` naming the value.
    func validate() throws

    /// Does the work. `run()` calls it after `validate()`, in a task of its own.
    /// - Throws: `Failure`; `.interrupted` where its task was cancelled, with what is kept.
    func perform(_ report: JobReporter) async throws -> Outcome
}

extension Job {
    public func validate() throws {}

    /// Begins the work in a task of its own. The events end with `.finished`, or the sequence throws.
    public func run() -> JobRun<Self> { JobRun(self) }

    /// Does the work and returns what came of it, whatever its events.
    /// - Throws: what the job throws. The outcome may say no itself: see `JobOutcome.refusal`.
    public func outcome() async throws -> Outcome {
        for try await event in run() {
            if case .finished(let outcome) = event { return outcome }
        }
        fatalError("a job ended without an outcome and without an error")
    }
}

/// What came of a job: encodable for programs, with sentences for people.
public protocol JobOutcome: Encodable, Sendable {
    /// One sentence a line.
    var lines: [String] { get }
    /// What a check said no to, after all was done and written that could be; nil where all is well.
    var refusal: Failure? { get }
}

extension JobOutcome {
    public var refusal: Failure? { nil }
}

/// What a job says while it goes on.
public enum JobEvent<Outcome: Sendable>: Sendable {
    case progress(JobProgress)
    /// A sentence for a person.
    case note(String)
    /// Always the last one.
    case finished(Outcome)
}

/// How far one stage of a job is.
public struct JobProgress: Sendable, Equatable {
    /// What is done, such as `import`.
    public let stage: String
    /// What is counted, in the plural, such as `photographs`.
    public let unit: String
    public let done: Int
    /// In all.
    public let total: Int
}

/// Where a job puts its events; may be called from any thread.
public struct JobReporter: Sendable {
    let progressed: @Sendable (JobProgress) -> Void
    let noted: @Sendable (String) -> Void

    /// Reports that `done` of `total` are done.
    public func progress(_ stage: String, _ unit: String, _ done: Int, of total: Int) {
        progressed(JobProgress(stage: stage, unit: unit, done: done, total: total))
    }

    public func note(_ sentence: String) { noted(sentence) }
}
