import Foundation

/// A file that appears under its final name complete, or not at all.
///
/// The content is written to `stagingPath` beside the destination; `commit()` flushes it to disk and renames it. A
/// staged file that was not committed is removed when this object is released. If the process was killed instead, the
/// next process that writes to the same destination removes the staged file.
public final class StagedFile {
    /// Where the content must be written: in the destination's folder, so that the rename is atomic.
    public let stagingPath: String
    public let destination: String
    private let isPrivate: Bool
    private var isCommitted = false

    /// - Parameters:
    ///   - force: whether a destination that exists may be replaced.
    ///   - isPrivate: whether only the user can read what `write` writes, from the first byte on.
    /// - Throws: `Failure`: `.usage` for an empty name; `.cannotCreateOutput` if the destination exists and `force`
    ///   is false, if it is not a regular file, or if its folder is missing or not writable.
    public init(_ destination: String, force: Bool = false, isPrivate: Bool = false) throws {
        try StagedFile.requireWritable(destination, force: force)
        self.destination = destination
        self.isPrivate = isPrivate
        stagingPath = StagedFile.stagingPath(for: destination)
    }

    /// A name beside `destination` for the file that this process prepares. Files that processes left under such names
    /// when they were killed are removed.
    public static func stagingPath(for destination: String) -> String {
        let url = URL(fileURLWithPath: destination), process = HostProcess.current
        let folder = url.deletingLastPathComponent(), prefix = ".\(url.lastPathComponent)."
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] {
            guard name.hasPrefix(prefix), name.hasSuffix(".part") else { continue }
            let middle = name.dropFirst(prefix.count).dropLast(5).split(separator: ".", maxSplits: 1)
            guard middle.count == 2, let id = Int32(middle[0]), HostProcess(host: String(middle[1]), id: id).isGone
            else { continue }
            try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
        }
        return folder.appendingPathComponent("\(prefix)\(process.id).\(process.host).part").path
    }

    deinit {
        if !isCommitted { try? FileManager.default.removeItem(atPath: stagingPath) }
    }

    /// Checks, before any work is done, that an output can be written.
    /// - Throws: the same as `init`.
    public static func requireWritable(_ destination: String, force: Bool) throws {
        guard !destination.isEmpty else {
            throw Failure(.usage, nil, field: "output", expected: "a name", found: "none")
        }
        var isFolder: ObjCBool = false, found = stat()
        if lstat(destination, &found) == 0 {
            switch found.st_mode & S_IFMT {
            case S_IFREG: break
            case S_IFDIR:
                throw Failure(.cannotCreateOutput, destination, "is a folder, and a file is to be written there")
            case S_IFLNK:
                throw Failure(
                    .cannotCreateOutput, destination, "is a link, which would be replaced; name the file itself")
            default: throw Failure(.cannotCreateOutput, destination, "is a pipe or a device, which is not replaced")
            }
            if !force {
                throw Failure(.cannotCreateOutput, destination, "exists already", remedy: .replace)
            }
        }
        let folder = URL(fileURLWithPath: destination).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
            throw Failure(.cannotCreateOutput, destination, "the folder \(folder) does not exist")
        }
        // For root, access() ignores the permission bits; on a read-only mount it still says no (EROFS).
        guard access(folder, W_OK) == 0 else {
            throw Failure(
                .cannotCreateOutput, destination,
                "the folder \(folder) is not writable (\(SystemReason.text()))")
        }
    }

    /// Writes `data` as the whole content.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func write(_ data: Data) throws { try write { append in try data.withUnsafeBytes { try append($0) } } }

    /// Writes the content piece by piece: `body` receives a function that appends a piece.
    /// - Throws: `Failure(.readOrWriteFailed)`, and what `body` throws.
    public func write(_ body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void) throws {
        let descriptor = open(stagingPath, O_WRONLY | O_CREAT | O_TRUNC, isPrivate ? 0o600 : 0o666)
        guard descriptor >= 0 else { throw StagedFile.failure(destination) }
        defer { close(descriptor) }
        try body { piece in
            var rest = piece
            while !rest.isEmpty {
                // One call writes less than 2 GiB on Linux.
                let written = Foundation.write(descriptor, rest.baseAddress, rest.count)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { throw StagedFile.failure(destination) }
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
        }
    }

    /// Flushes the content to disk, so that `commit()` has little left that could fail.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func flush() throws {
        let descriptor = open(stagingPath, O_RDONLY)
        guard descriptor >= 0 else { throw StagedFile.failure(destination) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StagedFile.failure(destination) }
    }

    /// Flushes the content to disk and gives the file its final name.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func commit() throws {
        try StagedFile.move(stagingPath, to: destination)
        isCommitted = true
    }

    /// Flushes the file at `staged` to disk and renames it.
    /// - Parameter replacing: false if an existing file of that name must stay; the call then throws.
    /// - Throws: `Failure`: `.readOrWriteFailed`; `.cannotCreateOutput` for an existing file that must stay.
    public static func move(_ staged: String, to destination: String, replacing: Bool = true) throws {
        let descriptor = open(staged, O_RDONLY)
        guard descriptor >= 0 else { throw StagedFile.failure(destination) }
        let flushed = fsync(descriptor)
        close(descriptor)
        guard flushed == 0 else { throw StagedFile.failure(destination) }
        if !replacing {
            try claim(staged, destination)
        } else if rename(staged, destination) != 0 {
            throw StagedFile.failure(destination)
        }
        // The rename is durable only after the folder is flushed.
        let folder = open(URL(fileURLWithPath: destination).deletingLastPathComponent().path, O_RDONLY)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// Gives the file at `staged` its name, unless another file has that name already.
    private static func claim(_ staged: String, _ destination: String) throws {
        var code = link(staged, destination)
        if code == 0 {
            unlink(staged)
        } else if errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS {
            // Some file systems, such as those of USB sticks, have no hard links. There, an empty file takes the name
            // first and is then replaced.
            let placeholder = open(destination, O_WRONLY | O_CREAT | O_EXCL, 0o666)
            code = placeholder < 0 ? -1 : 0
            if placeholder >= 0 {
                close(placeholder)
                code = rename(staged, destination)
            }
        }
        if code != 0, errno == EEXIST {
            throw Failure(.cannotCreateOutput, destination, "was written by another process in the meantime")
        }
        guard code == 0 else { throw StagedFile.failure(destination) }
    }

    /// The failure of reading or writing a file. Without `error`, the reason is taken from `errno`.
    /// - Parameter attempt: what failed: `written` or `read`.
    package static func failure(_ destination: String, _ error: (any Error)? = nil, _ attempt: String = "written")
        -> Failure
    {
        let reason = error.map { SystemReason.text($0) } ?? SystemReason.text()
        return Failure(.readOrWriteFailed, destination, "could not be \(attempt): \(reason)")
    }
}

extension String {
    /// The path without the suffix of an HDF5 file, to which the names of files beside it are appended.
    public var withoutHDF5Suffix: String {
        let suffix = [".h5", ".hdf5", ".he5"].first { lowercased().hasSuffix($0) }
        return suffix.map { String(dropLast($0.count)) } ?? self
    }
}
