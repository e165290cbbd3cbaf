import CHDF5

/// One identifier of the library. It is closed once: by `close()`, or when the last reference to it is released.
///
/// Bind a handle to a `let` for as long as its `id` is used, because a temporary is released right after `id` was read.
@HDF5Actor
final class Handle {
    let id: hid_t
    private let release: @Sendable @convention(c) (hid_t) -> herr_t
    private var isClosed = false

    init(_ id: hid_t, release: @escaping @Sendable @convention(c) (hid_t) -> herr_t) {
        self.id = id
        self.release = release
    }

    /// Closes the identifier. Returns the status of the library's close call; 0 if the identifier was closed before.
    @discardableResult
    func close() -> herr_t {
        guard !isClosed else { return 0 }
        isClosed = true
        HDF5Library.silence()
        // Closing a file closes everything open in it. The library does not reuse identifiers, so closing one of them
        // later finds nothing.
        guard H5Iis_valid(id) > 0 else { return 0 }
        return release(id)
    }

    isolated deinit {
        close()
    }
}
