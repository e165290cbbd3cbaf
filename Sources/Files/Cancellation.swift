import Synchronization

/// Swift's own cancellation (`Task.cancel()`), asked between two units of long work.
public enum Cancellation {
    /// Throws where the task that runs this was cancelled.
    /// - Parameter advice: what is kept and how to go on, such as `nothing was written; start the import again`.
    /// - Throws: `Failure(.interrupted)`.
    public static func check(_ advice: @autoclosure () -> String) throws {
        if Task.isCancelled { throw Failure(.interrupted, nil, "interrupted: \(advice())") }
    }
}

/// Carries the cancellation of a task into a parallel loop, most of whose threads belong to no task.
///
/// The thread that calls such a loop takes part in it. It alone sees that its task was cancelled, and tells the others.
public final class StopFlag: Sendable {
    private let raised = Atomic<Bool>(false)

    public init() {}

    /// Whether the work is no longer wanted.
    public var isRaised: Bool {
        if Task.isCancelled { raise() }
        return raised.load(ordering: .relaxed)
    }

    /// Tells all threads of the loop to end.
    public func raise() { raised.store(true, ordering: .relaxed) }

    /// - Throws: `Failure(.interrupted)` where the flag is raised; `advice` is as in `Cancellation.check`.
    public func check(_ advice: @autoclosure () -> String) throws {
        if isRaised { throw Failure(.interrupted, nil, "interrupted: \(advice())") }
    }
}
