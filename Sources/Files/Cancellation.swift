import Synchronization

/// Checks for Swift's own cancellation (`Task.cancel()`) between two units of long work.
public enum Cancellation {
    /// Throws if the task that calls this function was cancelled.
    /// - Parameter advice: what is kept and how to go on, such as `nothing was written; start the import again`.
    /// - Throws: `Failure(.interrupted)`.
    public static func check(_ advice: @autoclosure () -> String) throws {
        if Task.isCancelled { throw Failure(.interrupted, nil, "interrupted: \(advice())") }
    }
}

/// Carries the cancellation of a task into a parallel loop, most of whose threads belong to no task.
///
/// The thread that calls such a loop takes part in it. Only that thread can see that its task was cancelled, and it
/// raises the flag for the others.
public final class StopFlag: Sendable {
    private let raised = Atomic<Bool>(false)

    public init() {}

    /// Whether the work is no longer wanted.
    public var isRaised: Bool {
        if Task.isCancelled { raise() }
        return raised.load(ordering: .relaxed)
    }

    /// Tells all threads of the loop to stop.
    public func raise() { raised.store(true, ordering: .relaxed) }

    /// - Throws: `Failure(.interrupted)` if the flag is raised. `advice` means the same as in `Cancellation.check`.
    public func check(_ advice: @autoclosure () -> String) throws {
        if isRaised { throw Failure(.interrupted, nil, "interrupted: \(advice())") }
    }
}
