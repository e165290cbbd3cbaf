import Foundation

/// Holds a folder, so that only one process at a time writes into it. The lock is the file `.lock` in the folder, which
/// names its holder and is removed when the folder is let go. The system releases it when the process ends, however it
/// ends; then the file stays, and the next holder takes it.
public final class FolderLock {
    private var lock: LockFile?

    /// - Throws: `Failure(.cannotCreateOutput)` if another process holds the folder, which the sentence then names, or
    ///   if the folder does not exist or may not be written to.
    public init(_ folder: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure(.cannotCreateOutput, folder, "the folder could not be opened: \(SystemReason.text())")
        }
        close(descriptor)
        // A process that lets the folder go removes the file; it is then made again.
        for _ in 0..<100 {
            switch try LockFile.take("\(folder.withoutTrailingSlashes)/.lock") {
            case .held(let lock):
                self.lock = lock
                return
            case .heldBy(let holder):
                throw Failure(
                    .cannotCreateOutput, folder,
                    "\(holder) is writing into this folder; wait for it or stop it")
            case .vanished: continue
            }
        }
        throw Failure(.cannotCreateOutput, folder, "is made and removed by other processes all the time")
    }

    /// Lets the folder go. Without this call, it is let go when the object is released.
    public func release() {
        lock?.remove()
        lock = nil
    }

    deinit { release() }
}
