import Files

/// One use of Fovea as a value. The value says what is wanted; nothing is done until it is run.
///
/// Set its properties, then iterate over `run()`:
///
/// ```swift
/// for try await event in SampleJob(model: .init("base.safetensors"), .count(16, cohorts: []), to: "s.h5").run() {
///     if case .finished(let result) = event { print(result.output) }
/// }
/// ```
///
/// Jobs enforce permissions, trust, ledgers and canaries, so that every front end gets the same refusals. A job that
/// throws or is cancelled leaves each output whole or absent.
public protocol Job: Sendable {
    associatedtype Outcome: JobOutcome

    /// Checks the job's properties without opening a file.
    /// - Throws: `Failure(.usage)` naming the property that is wrong.
    func validate() throws

    /// The files and folders that the job reads. `run()` looks at them before the work, and leads from a path that is
    /// nearly right to the right one.
    var inputs: [JobInput] { get }

    /// The files and folders that the job writes. `run()` refuses names that promise a file of another kind.
    var outputs: [JobOutput] { get }

    /// Does the work. `run()` calls it after `validate()`, in a task of its own.
    /// - Throws: `Failure`, which is `.interrupted` and says what is kept where the task was cancelled.
    func perform(_ report: JobReporter) async throws -> Outcome
}

extension Job {
    public func validate() throws {}
    public var inputs: [JobInput] { [] }
    public var outputs: [JobOutput] { [] }

    /// Begins the work in a task of its own. The events end with `.finished`, or the sequence throws.
    public func run() -> JobRun<Self> { JobRun(self) }

    /// Does the work and returns the outcome, without the events.
    /// - Throws: what the job throws. An outcome that is returned may still hold a refusal (`JobOutcome.refusal`).
    public func outcome() async throws -> Outcome {
        for try await event in run() {
            if case .finished(let outcome) = event { return outcome }
        }
        fatalError("a job ended without an outcome and without an error")
    }
}

/// The outcome of a job: encodable for programs, with sentences for people.
public protocol JobOutcome: Encodable, Sendable {
    /// The outcome in sentences, one on each line.
    var lines: [String] { get }
    /// Sentences about what somebody has to act on at once; a terminal shows them in red.
    var warnings: [String] { get }
    /// Why a check said no, after everything that could be done was done and written; nil where no check did.
    var refusal: Failure? { get }
    /// What the user could still do.
    var advice: [Advice] { get }
}

extension JobOutcome {
    public var warnings: [String] { [] }
    public var refusal: Failure? { nil }
    public var advice: [Advice] { [] }
}

/// Something that is not as it should be and does not stop a job. Each front end says in its own words what helps.
public struct Advice: Sendable {
    public let sentence: String
    public let remedy: Failure.Remedy

    public init(_ sentence: String, _ remedy: Failure.Remedy) {
        self.sentence = sentence
        self.remedy = remedy
    }
}

/// What a job reports while it runs.
public enum JobEvent<Outcome: Sendable>: Sendable {
    case progress(JobProgress)
    /// A sentence for a person.
    case note(String)
    /// A sentence about what somebody has to act on.
    case warning(String)
    /// The outcome, which is always the last event.
    case finished(Outcome)
}

/// The progress of one stage of a job.
public struct JobProgress: Sendable, Equatable {
    /// What is done, such as `import`.
    public let stage: String
    /// What is counted, in the plural, such as `photographs`.
    public let unit: String
    /// The number of units that are done.
    public let done: Int
    /// The number of units in all.
    public let total: Int
    /// What else is to be seen now, such as `loss 0.12`; nil for nothing.
    public let detail: String?

    package init(stage: String, unit: String, done: Int, total: Int, detail: String? = nil) {
        self.stage = stage
        self.unit = unit
        self.done = done
        self.total = total
        self.detail = detail
    }
}

/// Takes the events of a job. It may be called from any thread.
public struct JobReporter: Sendable {
    let progressed: @Sendable (JobProgress) -> Void
    let noted: @Sendable (String) -> Void
    let warned: @Sendable (String) -> Void

    /// Reports that `done` of `total` units are done.
    public func progress(_ stage: String, _ unit: String, _ done: Int, of total: Int, detail: String? = nil) {
        progressed(JobProgress(stage: stage, unit: unit, done: done, total: total, detail: detail))
    }

    /// Reports a sentence for a person.
    public func note(_ sentence: String) { noted(sentence) }

    /// Reports a sentence about what somebody has to act on.
    public func warn(_ sentence: String) { warned(sentence) }
}
