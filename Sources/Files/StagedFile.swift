import Foundation

/// A file that appears under its final name whole, or not at all.
///
/// The content is written to `stagingPath` beside the destination; `commit()` flushes it to disk and renames it. A
/// staged file that is never committed is removed when it is released, and one of a process that was killed by the next
/// that writes to the same destination.
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
        stagingPath = StagedFile.stagingPath(for: destination)
    }

    /// A name beside `destination` for what this process makes of it; what processes that were killed left under such
    /// names is removed.
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
        // access() says yes to root on a read-only mount's permissions bits, but no (EROFS) on the mount itself.
        guard access(folder, W_OK) == 0 else {
            throw Failure(
                .cannotCreateOutput, destination,
                "the folder \(folder) is not writable (\(String(cString: strerror(errno))))")
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
        try StagedFile.move(stagingPath, to: destination)
        isCommitted = true
    }

    /// Flushes the file at `staged` to disk and renames it.
    /// - Parameter replacing: false where somebody else's file of that name must stay: whoever comes second is told.
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
        // The rename itself is durable once the folder is flushed.
        let folder = open(URL(fileURLWithPath: destination).deletingLastPathComponent().path, O_RDONLY)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// Gives the file at `staged` a name that nobody has.
    private static func claim(_ staged: String, _ destination: String) throws {
        var code = link(staged, destination)
        if code == 0 {
            unlink(staged)
        } else if errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS {
            // A stick's file system without links: an empty file takes the name, and is replaced.
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

    /// The system's own words where there are any.
    private static func reason(_ error: any Error) -> String {
        let outer = error as NSError, inner = outer.userInfo[NSUnderlyingErrorKey]
        // Errors of Data.write hold a POSIXError, others an NSError.
        if let system = inner as? POSIXError { return String(cString: strerror(system.code.rawValue)) }
        let found = inner as? NSError ?? outer
        return found.domain == NSPOSIXErrorDomain
            ? String(cString: strerror(Int32(found.code))) : outer.localizedDescription
    }

    /// - Parameter attempt: what failed: `written` or `read`.
    package static func failure(_ destination: String, _ error: (any Error)? = nil, _ attempt: String = "written")
        -> Failure
    {
        let reason = error.map(reason) ?? String(cString: strerror(errno))
        return Failure(.readOrWriteFailed, destination, "could not be \(attempt): \(reason)")
    }
}
