import CHDF5

/// One identifier of the library. It is closed once: by `close()`, or when the last reference to it is released.
///
/// Bind a handle to a `let` for as long as its `id` is used, because a temporary is released right after `id` was read.
///
/// HDF5 1.10.8 crashes when it closes a file, or an object in it, whose content it could not write before. So a file is
/// given up after the first write that failed: neither it nor anything in it is closed by the library. Its memory is
/// released when the process ends, which is soon after such a failure.
@HDF5Actor
final class Handle {
    let id: hid_t
    private let release: @Sendable @convention(c) (hid_t) -> herr_t
    /// The file in which the object is; nil for the file itself, and for what is in no file.
    private let file: Handle?
    private var isClosed = false
    /// Why the file was given up; nil if it was not.
    private(set) var failedWrite: String?

    init(_ id: hid_t, in file: Handle? = nil, release: @escaping @Sendable @convention(c) (hid_t) -> herr_t) {
        self.id = id
        self.file = file
        self.release = release
    }

    /// Gives up the file after a write that failed.
    /// - Parameter reason: what the library said.
    func giveUp(_ reason: String) {
        guard let file else {
            failedWrite = failedWrite ?? reason
            return
        }
        file.giveUp(reason)
    }

    /// Closes the identifier, unless its file was given up. Returns the status of the library's close call; 0 if the
    /// identifier was closed before.
    @discardableResult
    func close() -> herr_t {
        guard !isClosed else { return 0 }
        isClosed = true
        guard failedWrite == nil, file?.failedWrite == nil else { return 0 }
        HDF5Library.silence()
        // Closing a file closes everything open in it. The library does not reuse identifiers, so closing one of them
        // later finds nothing.
        guard H5Iis_valid(id) > 0 else { return 0 }
        let status = release(id)
        if status < 0 { giveUp(ErrorStack.reason()) }
        return status
    }

    isolated deinit {
        close()
    }
}
