import Synchronization

/// Warnings about the process's surroundings, which deep layers notice. Each kind is given once in a process.
public enum ProcessWarnings {
    public enum Kind: Hashable, Sendable {
        /// A file system has no locks.
        case noLocks
    }

    private struct State {
        var given: Set<Kind> = []
        var listener: (@Sendable (String) -> Void)?
    }

    private static let state = Mutex(State())

    /// Sets who is told the sentences. Without a listener, warnings are lost.
    public static func listen(_ listener: @escaping @Sendable (String) -> Void) {
        state.withLock { $0.listener = listener }
    }

    /// Gives a warning, unless one of its kind was given before.
    static func once(_ kind: Kind, _ sentence: String) {
        let listener = state.withLock { $0.given.insert(kind).inserted ? $0.listener : nil }
        listener?(sentence)
    }
}
