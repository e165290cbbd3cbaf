import Files
import Foundation

/// Keeps pictures of one size on disk instead of in memory: in a file without a name, which disappears with the
/// process, or in a file that a later process goes on with.
final class PixelSpool: Sendable {
    private let descriptor: Int32
    /// The folder or file that errors name.
    private let place: String
    let byteCount: Int

    /// A file without a name.
    /// - Parameters:
    ///   - folder: a folder on a disk with enough room; nil for the temporary folder.
    ///   - byteCount: the size of one picture in bytes.
    /// - Throws: `Failure(.cannotCreateOutput)`.
    init(folder: String?, byteCount: Int) throws {
        let folder = folder ?? FileManager.default.temporaryDirectory.path
        var template = Array("\(folder)/.fovea-import-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else {
            throw Failure(
                .cannotCreateOutput, folder,
                "no temporary file could be made there: \(SystemReason.text())")
        }
        unlink(template)
        // The C library's function that does so at once is not offered to Swift.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        place = folder
        self.byteCount = byteCount
    }

    /// The file at `path`, which is made if it does not exist. Only the user can read it.
    /// - Parameter byteCount: the size of one picture in bytes.
    /// - Throws: `Failure(.cannotCreateOutput)`.
    init(path: String, byteCount: Int) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(.cannotCreateOutput, path, "could not be made: \(SystemReason.text())")
        }
        place = path
        self.byteCount = byteCount
    }

    deinit { close(descriptor) }

    /// Writes picture `index`. Several threads may write different pictures at once.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    func write(_ pixels: [UInt8], at index: Int) throws {
        guard pixels.count == byteCount else { fatalError("PixelSpool: \(pixels.count) bytes, \(byteCount) a picture") }
        try pixels.withUnsafeBytes { bytes in
            try transfer("written") { done in
                pwrite(descriptor, bytes.baseAddress! + done, byteCount - done, off_t(index * byteCount + done))
            }
        }
    }

    func read(_ index: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            let base = UnsafeMutableRawPointer(buffer.baseAddress!)
            try transfer("read") { done in
                pread(descriptor, base + done, byteCount - done, off_t(index * byteCount + done))
            }
            count = byteCount
        }
    }

    /// The number of whole pictures in the file.
    var count: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) / byteCount : 0
    }

    /// Waits until all that was written is on the disk.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    func synchronize() throws {
        guard fdatasync(descriptor) == 0 else {
            throw Failure(.readOrWriteFailed, place, "could not be written: \(SystemReason.text())")
        }
    }

    private func transfer(_ what: String, _ step: (Int) -> Int) throws {
        var done = 0
        while done < byteCount {
            let count = step(done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let reason = count == 0 ? "it ends too early" : SystemReason.text()
                throw Failure(.readOrWriteFailed, place, "what was read could not be \(what) there: \(reason)")
            }
            done += count
        }
    }
}
