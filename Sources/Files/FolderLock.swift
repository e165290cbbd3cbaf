import Foundation

/// Holds a folder, so that only one process at a time writes into it. The system releases the folder when the process
/// ends, however it ends, and the lock leaves nothing in the folder. Some file systems have no such locks (NFS has none
/// for folders); there, the folder is not held.
public final class FolderLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `Failure(.cannotCreateOutput)` if another process holds the folder or the folder cannot be opened.
    public init(_ folder: String) throws {
        descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure(
                .cannotCreateOutput, folder, "the folder could not be opened: \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
        close(descriptor)
        throw Failure(
            .cannotCreateOutput, folder, "another process is writing into this folder; wait for it or stop it")
    }

    deinit { close(descriptor) }
}
