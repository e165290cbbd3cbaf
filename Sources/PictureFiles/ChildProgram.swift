import Files
import Foundation

/// Runs a program as a child process and waits for its end.
///
/// Foundation's `Process` is not used: where the limit on open files is low (`ulimit -n 160`), it fails with "Bad file
/// descriptor".
struct ChildProgram {
    enum End {
        case exited(Int32)
        case crashed(signal: Int32)
    }

    let end: End
    let output: Data
    let errors: String

    /// Runs the program with an empty standard input.
    /// - Parameter place: the file that the program is asked about, for errors.
    /// - Throws: `Failure(.readOrWriteFailed)` if the program could not be started.
    init(_ program: String, _ arguments: [String], about place: String) throws {
        // The output goes to a file and not to a second pipe. A child that fills one pipe while this process reads the
        // other would wait for ever.
        let outputFile = try ChildProgram.namelessFile(), (errorReader, errorWriter) = try ChildProgram.pipe(place)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, outputFile.fileDescriptor, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, errorWriter.fileDescriptor, STDERR_FILENO)
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var child = pid_t()
        let status = posix_spawn(&child, program, &actions, nil, &words, environ)
        guard status == 0 else {
            let limit = status == EAGAIN ? "; raise the limit on processes and threads (ulimit -u)" : ""
            throw Failure(.readOrWriteFailed, place, "could not be checked: \(SystemReason.text(status))\(limit)")
        }
        // The reader sees the end only when nobody has the other side open.
        try? errorWriter.close()
        errors = String(decoding: (try? errorReader.readToEnd()) ?? Data(), as: UTF8.self)
        var result: Int32 = 0
        while waitpid(child, &result, 0) < 0, errno == EINTR {}
        // The lower seven bits are the signal that ended the process, and the next byte is its exit code.
        end = result & 0x7F == 0 ? .exited(result >> 8 & 0xFF) : .crashed(signal: result & 0x7F)
        try? outputFile.seek(toOffset: 0)
        output = (try? outputFile.readToEnd()) ?? Data()
    }

    /// A file without a name, which disappears when the last process that has it open ends.
    private static func namelessFile() throws -> FileHandle {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("fovea-\(UUID().uuidString)").path
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(.readOrWriteFailed, path, "could not be written: \(SystemReason.text())")
        }
        unlink(path)
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    private static func pipe(_ place: String) throws -> (reader: FileHandle, writer: FileHandle) {
        var ends: [Int32] = [0, 0]
        guard Foundation.pipe(&ends) == 0 else {
            throw Failure(.readOrWriteFailed, place, "could not be checked: \(SystemReason.text())")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (
            FileHandle(fileDescriptor: ends[0], closeOnDealloc: true),
            FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        )
    }
}
