import Files
import Foundation

/// Reads picture files.
package enum PictureFile {
    /// Larger files cannot be photographs: 100 megapixels of 16-bit RGBA are 800 MB before compression.
    static let maximumByteCount = 1 << 30

    /// The bytes of the regular file at `path`.
    /// - Throws: `Failure`: `.noSuchInput` if there is no file, `.badData` for a folder, a device or a file that is
    ///   too large, `.readOrWriteFailed`.
    package static func read(_ raw: RawPath) throws -> [UInt8] {
        let path = raw.shown
        // Without O_NONBLOCK, opening a named pipe would wait for ever.
        let descriptor = raw.withCString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
        guard descriptor >= 0 else {
            let reason = SystemReason.text()
            throw Failure(errno == ENOENT ? .noSuchInput : .readOrWriteFailed, path, "could not be opened: \(reason)")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw Failure(.readOrWriteFailed, path, "could not be read: \(SystemReason.text())")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let what = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "a device or pipe"
            throw Failure(.badData, path, "is \(what), not a picture file")
        }
        guard status.st_size <= maximumByteCount else {
            throw Failure(.badData, path, "has \(status.st_size) bytes; a photograph has at most \(maximumByteCount)")
        }
        let size = Int(status.st_size)
        return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = Foundation.read(descriptor, buffer.baseAddress! + count, size - count)
                if got < 0 {
                    if errno == EINTR { continue }
                    throw Failure(.readOrWriteFailed, path, "could not be read: \(SystemReason.text())")
                }
                if got == 0 { break }
                count += got
            }
        }
    }
}
