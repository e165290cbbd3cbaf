import Foundation

/// A file that one process at a time holds, and in which it says who it is. The system releases the file when that
/// process ends, however it ends.
final class LockFile {
    private let path: String
    private let descriptor: Int32

    /// The process that holds a file.
    private struct Holder: Codable {
        var process: Int32
        var host: String
        var since: Date
    }

    enum Outcome {
        case held(LockFile)
        /// Another process holds it: `process 17 on host since 2026-01-31T12:00:00Z`, or `another process`.
        case heldBy(String)
        /// The file or its folder was removed in the meantime.
        case vanished
    }

    private init(_ path: String, _ descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    /// Makes the file if it does not exist, and holds it.
    /// - Throws: `Failure(.cannotCreateOutput)` if the file cannot be made.
    static func take(_ path: String) throws -> Outcome {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        if descriptor < 0 {
            if errno == ENOENT { return .vanished }
            throw Failure(.cannotCreateOutput, path, "could not be made: \(SystemReason.text())")
        }
        if case .heldElsewhere = SystemLock.take(descriptor, path: path) {
            close(descriptor)
            return .heldBy(holder(path))
        }
        var held = stat(), named = stat()
        guard fstat(descriptor, &held) == 0, stat(path, &named) == 0, held.st_ino == named.st_ino else {
            close(descriptor)
            return .vanished
        }
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        let process = HostProcess.current
        let said = (try? encoder.encode(Holder(process: process.id, host: process.host, since: Date()))) ?? Data()
        _ = ftruncate(descriptor, 0)
        _ = said.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        return .held(LockFile(path, descriptor))
    }

    deinit { close(descriptor) }

    /// Removes the file while it is still held.
    func remove() { unlink(path) }

    private static func holder(_ path: String) -> String {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        guard let data = FileManager.default.contents(atPath: path),
            let holder = try? decoder.decode(Holder.self, from: data)
        else {
            return "another process"
        }
        return "process \(holder.process) on \(holder.host) since \(holder.since.formatted(.iso8601))"
    }
}
