import Foundation

/// Locks of the system on open files (`flock`). A lock ends with the process, however it ends.
///
/// Some file systems have no locks: Lustre without the option `flock`, NFS without a lock daemon, some of FUSE. There,
/// work goes on without them, and the process warns once.
public enum SystemLock {
    enum Answer {
        case taken
        /// Another open file holds a lock that excludes this one.
        case heldElsewhere
        /// The file system has no locks.
        case unavailable
    }

    /// Asks for a lock, and does not wait for it.
    /// - Parameter path: the file, for the warning.
    static func take(_ descriptor: Int32, shared: Bool = false, path: String) -> Answer {
        while flock(descriptor, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return .heldElsewhere
            case let reason:
                ProcessWarnings.once(
                    .noLocks,
                    """
                    \(path): the file system has no locks (\(SystemReason.text(reason))); the work goes on \
                    without them, so do not let two programs write the same output
                    """)
                return .unavailable
            }
        }
        return .taken
    }

    /// Waits for a lock that nobody else holds at the same time.
    /// - Parameter path: the file, for the warning.
    package static func wait(_ descriptor: Int32, path: String) {
        while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
        // Where there are no locks, asking once more gives the warning.
        _ = take(descriptor, path: path)
    }

    /// Checks that no other program has locked the file for writing, as programs do that use the HDF5 library.
    /// - Returns: whether the file system has locks. The result is also true for a file that cannot be opened: whoever
    ///   reads it says why.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    @discardableResult
    public static func requireNoWriter(_ path: String) throws -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        switch take(descriptor, shared: true, path: path) {
        case .taken: return true
        case .unavailable: return false
        case .heldElsewhere:
            throw Failure(.readOrWriteFailed, path, "is open for writing in another program; close it there first")
        }
    }
}
