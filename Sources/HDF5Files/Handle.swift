import CHDF5

/// One identifier of the library, closed once: by `close()`, or when the last reference goes.
///
/// Bind a handle to a `let` for as long as its `id` is used: a temporary is released as soon as `id` has been read.
@HDF5Actor
final class Handle {
    let id: hid_t
    private let release: @Sendable @convention(c) (hid_t) -> herr_t
    private var isClosed = false

    init(_ id: hid_t, release: @escaping @Sendable @convention(c) (hid_t) -> herr_t) {
        self.id = id
        self.release = release
    }

    /// The status of the library's close call; 0 where it was closed before.
    @discardableResult
    func close() -> herr_t {
        guard !isClosed else { return 0 }
        isClosed = true
        HDF5Library.silence()
        // A file closes what is open in it: identifiers are never used again, so a second close finds nothing.
        guard H5Iis_valid(id) > 0 else { return 0 }
        return release(id)
    }

    isolated deinit {
        close()
    }
}
