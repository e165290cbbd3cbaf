import Foundation

/// The folder `OUT.unfinished` in which an output is made, so that finished parts outlive the process. One process at a
/// time holds the folder; the system releases it when that process ends, however it ends.
public final class UnfinishedFolder {
    public let path: String
    private let descriptor: Int32

    private static let lockName = "lock"

    /// The process that holds a folder.
    private struct Holder: Codable {
        var process: Int32
        var host: String
        var since: Date
    }

    /// Where the folder for `output` is.
    public static func path(for output: String) -> String {
        output.withoutTrailingSlashes + ".unfinished"
    }

    /// Makes the folder for `output` if it does not exist, and holds it.
    /// - Throws: `Failure(.cannotCreateOutput)` if another process holds the folder, which the sentence then names,
    ///   or if the folder cannot be made.
    public init(for output: String) throws {
        path = UnfinishedFolder.path(for: output)
        let lock = "\(path)/\(UnfinishedFolder.lockName)"
        // A process that ends may remove the folder that it held; the folder is then made again.
        for _ in 0..<100 {
            guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
                throw Failure(.cannotCreateOutput, path, "could not be made: \(String(cString: strerror(errno)))")
            }
            let descriptor = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
            if descriptor < 0 {
                if errno == ENOENT { continue }
                throw Failure(.cannotCreateOutput, lock, "could not be made: \(String(cString: strerror(errno)))")
            }
            if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                let reason = errno
                close(descriptor)
                guard reason == EWOULDBLOCK else {
                    throw Failure(
                        .cannotCreateOutput, lock, "could not be locked: \(String(cString: strerror(reason)))")
                }
                throw Failure(
                    .cannotCreateOutput, output,
                    "is being made by \(UnfinishedFolder.holder(lock)); wait for it or stop it")
            }
            var held = stat(), named = stat()
            guard fstat(descriptor, &held) == 0, stat(lock, &named) == 0, held.st_ino == named.st_ino else {
                close(descriptor)
                continue
            }
            self.descriptor = descriptor
            let encoder = JSONEncoder()
            encoder.dateEncodingStrategy = .iso8601
            let process = HostProcess.current
            let holder = Holder(process: process.id, host: process.host, since: Date())
            let said = (try? encoder.encode(holder)) ?? Data()
            _ = ftruncate(descriptor, 0)
            _ = said.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            return
        }
        throw Failure(.cannotCreateOutput, path, "is made and removed by other processes all the time")
    }

    /// Removes the folder if it is empty. Otherwise the folder stays for whoever goes on with the output.
    deinit {
        if (try? FileManager.default.contentsOfDirectory(atPath: path)) == [UnfinishedFolder.lockName] {
            try? remove { _ in false }
        }
        close(descriptor)
    }

    private static func holder(_ lock: String) -> String {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        guard let data = FileManager.default.contents(atPath: lock),
            let holder = try? decoder.decode(Holder.self, from: data)
        else {
            return "another process"
        }
        return "process \(holder.process) on \(holder.host) since \(holder.since.formatted(.iso8601))"
    }

    /// Where a file of the folder is.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Removes the content of the folder, `first` before anything else.
    /// - Parameter isOwn: whether a name belongs to the caller's output. If the folder holds any other name, apart from
    ///   unfinished staged files, nothing is removed.
    /// - Throws: `Failure`: `.cannotCreateOutput` that names what is not the caller's; `.readOrWriteFailed`.
    public func clear(first: String? = nil, where isOwn: (String) -> Bool) throws {
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: path).filter {
                $0 != UnfinishedFolder.lockName
            }
            if let other = names.sorted().first(where: { !isOwn($0) && !($0.hasPrefix(".") && $0.hasSuffix(".part")) })
            {
                throw Failure(
                    .cannotCreateOutput, path,
                    "holds \(other.printable), which is not part of this output; move it away, or finish that work"
                )
            }
            for name in names.filter({ $0 == first }) + names.filter({ $0 != first }) {
                try FileManager.default.removeItem(atPath: file(name))
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.readOrWriteFailed, path, "could not be cleared: \((error as NSError).localizedDescription)")
        }
    }

    /// Removes the folder with its content; this object is not used afterwards.
    /// - Throws: the same as `clear`.
    public func remove(first: String? = nil, where isOwn: (String) -> Bool) throws {
        try clear(first: first, where: isOwn)
        unlink(file(UnfinishedFolder.lockName))
        guard rmdir(path) == 0 else {
            throw Failure(.readOrWriteFailed, path, "could not be removed: \(String(cString: strerror(errno)))")
        }
    }
}
