import Dispatch
import Files
import Synchronization

/// A job that runs, as the sequence of its events.
///
/// Cancelling the task that iterates, or calling `cancel()`, cancels the work. The events go on until the work has
/// ended: a training that was cancelled still reports that everything is saved. Progress that nobody has read yet is
/// replaced by newer progress of the same stage, so that a slow reader neither lags nor fills the memory. Iterate only
/// once.
public struct JobRun<Work: Job>: AsyncSequence, Sendable {
    public typealias Element = JobEvent<Work.Outcome>

    private let events: EventQueue<Element>
    private let work: Task<Void, Never>

    init(_ job: Work) {
        let events = EventQueue<Element>()
        let report = JobReporter {
            events.append(.progress($0)) { waiting, new in
                guard case .progress(let old) = waiting, case .progress(let next) = new else { return false }
                return old.stage == next.stage
            }
        } noted: {
            events.append(.note($0))
        } warned: {
            events.append(.warning($0))
        }
        // Long work blocks its thread. The shared pool may have a single thread, which must read the events.
        work = Task.detached(executorPreference: JobExecutor()) {
            do {
                try job.validate()
                for output in job.outputs { try output.check(against: job.inputs) }
                try Signpost.check(job.inputs)
                let outcome = try await job.perform(report)
                events.append(.finished(outcome))
                events.finish(nil)
            } catch {
                events.finish(error)
            }
        }
        self.events = events
    }

    /// Asks the work to stop between two steps. Its `Failure(.interrupted)` says what is kept.
    public func cancel() { work.cancel() }

    public func makeAsyncIterator() -> Iterator { Iterator(events: events, work: work) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let events: EventQueue<JobEvent<Work.Outcome>>
        fileprivate let work: Task<Void, Never>

        /// Waits for the next event; the result is nil after the last.
        /// - Throws: what the job throws.
        public func next() async throws -> JobEvent<Work.Outcome>? {
            try await withTaskCancellationHandler {
                try await events.next()
            } onCancel: { [work] in
                work.cancel()
            }
        }
    }
}

/// Passes events from any thread to one reader. Unlike `AsyncThrowingStream`, the queue does not end when the reader's
/// task is cancelled.
private final class EventQueue<Element: Sendable>: Sendable {
    private struct State {
        var waiting: [Element] = []
        var end: Result<Void, any Error>?
        var reader: CheckedContinuation<Element?, any Error>?
    }

    private let state = Mutex(State())

    /// - Parameter replaces: given the last element that waits and the new one, says whether the new one takes its
    ///   place.
    func append(_ element: Element, replaces: (Element, Element) -> Bool = { _, _ in false }) {
        let reader = state.withLock { state in
            defer { state.reader = nil }
            if state.reader == nil {
                if let last = state.waiting.last, replaces(last, element) { state.waiting.removeLast() }
                state.waiting.append(element)
            }
            return state.reader
        }
        reader?.resume(returning: element)
    }

    func finish(_ error: (any Error)?) {
        let end: Result<Void, any Error> = error.map { .failure($0) } ?? .success(())
        let reader = state.withLock { state in
            defer { state.reader = nil }
            // A reader that waits gets the end at once; the next reader gets a plain end.
            state.end = state.reader == nil ? end : .success(())
            return state.reader
        }
        reader?.resume(with: end.map { nil })
    }

    func next() async throws -> Element? {
        try await withCheckedThrowingContinuation { continuation in
            let ready: Result<Element?, any Error>? = state.withLock { state in
                if !state.waiting.isEmpty { return .success(state.waiting.removeFirst()) }
                if let end = state.end {
                    // An error is thrown once. After it, the sequence is at its end.
                    state.end = .success(())
                    return end.map { nil }
                }
                state.reader = continuation
                return nil
            }
            if let ready { continuation.resume(with: ready) }
        }
    }
}

/// Runs a job's task on a queue of its own.
private final class JobExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "fovea.job")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job), executor = asUnownedTaskExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }
}
