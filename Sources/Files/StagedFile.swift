import Foundation

/// A file that appears under its final name whole, or not at all.
///
/// The content is written to `stagingPath` beside the destination; `commit()` flushes it to disk and renames it. A staged
/// file that is never committed is removed when it is released.
public final class StagedFile {
    /// Where the content is to be written: same folder as the destination, so that the rename is atomic.
    public let stagingPath: String
    public let destination: String
    private var isCommitted = false

    /// - Parameter force: whether a destination that exists may be replaced.
    /// - Throws: `Failure(.cannotCreateOutput)` where the destination exists and `force` is false, or the folder is
    ///   missing or not writable.
    public init(_ destination: String, force: Bool = false) throws {
        try StagedFile.requireWritable(destination, force: force)
        self.destination = destination
        let url = URL(fileURLWithPath: destination)
        stagingPath = url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(ProcessInfo.processInfo.processIdentifier).part").path
    }

    deinit {
        if !isCommitted { try? FileManager.default.removeItem(atPath: stagingPath) }
    }

    /// Checks, before any work is done, that an output can be written.
    public static func requireWritable(_ destination: String, force: Bool) throws {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: destination, isDirectory: &isFolder) {
            if isFolder.boolValue {
                throw Failure(.cannotCreateOutput, destination, "is a folder, and a file is to be written there")
            }
            if !force {
                throw Failure(.cannotCreateOutput, destination, "exists already; give --force to replace it")
            }
        }
        let folder = URL(fileURLWithPath: destination).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw Failure(.cannotCreateOutput, destination, "the folder \(folder) does not exist")
        }
        // access() says yes to root on a read-only mount's permissions bits, but no (EROFS) on the mount itself.
        guard access(folder, W_OK) == 0 else {
            throw Failure(.cannotCreateOutput, destination, "the folder \(folder) is not writable (\(String(cString: strerror(errno))))")
        }
    }

    /// Writes `data` as the whole content.
    public func write(_ data: Data) throws {
        do {
            try data.write(to: URL(fileURLWithPath: stagingPath))
        } catch {
            throw StagedFile.failure(destination, error)
        }
    }

    /// Writes the content piece by piece: `body` is given what appends a piece.
    public func write(_ body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void) throws {
        let descriptor = open(stagingPath, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
        guard descriptor >= 0 else { throw StagedFile.failure(destination) }
        defer { close(descriptor) }
        try body { piece in
            var rest = piece
            while !rest.isEmpty {
                // Linux writes less than 2 GiB at a time.
                let written = Foundation.write(descriptor, rest.baseAddress, rest.count)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { throw StagedFile.failure(destination) }
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
        }
    }

    /// Flushes the content to disk and gives it its final name.
    public func commit() throws {
        let descriptor = open(stagingPath, O_RDONLY)
        guard descriptor >= 0 else { throw StagedFile.failure(destination) }
        let flushed = fsync(descriptor)
        close(descriptor)
        guard flushed == 0, rename(stagingPath, destination) == 0 else { throw StagedFile.failure(destination) }
        isCommitted = true
        // The rename itself is durable once the folder is flushed.
        let folder = open(URL(fileURLWithPath: destination).deletingLastPathComponent().path, O_RDONLY)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    private static func failure(_ destination: String, _ error: (any Error)? = nil) -> Failure {
        let reason = error.map { ($0 as NSError).localizedDescription } ?? String(cString: strerror(errno))
        return Failure(.readOrWriteFailed, destination, "could not be written: \(reason)")
    }
}
