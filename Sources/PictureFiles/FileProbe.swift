import Files
import Foundation
import Synchronization

/// Opens an HDF5 file in a process of its own before this process does.
///
/// HDF5 1.10 can crash on damaged or hostile files (a flipped byte in an attribute's heap is enough). A crash in the
/// child ends only the child, and the user reads a sentence. `DatasetFile` and `SampleSetFile` call `check` whenever
/// they open a file that this process did not write itself.
public enum FileProbe {
    private struct State {
        var program: String?
        /// Files that this process wrote, or that a child has read without comparing their bytes with a digest.
        var own: Set<FileIdentity> = []
        var checked: Set<FileIdentity> = []
    }

    private static let state = Mutex(State())

    /// The program that reads files in a child process: `fovea`, called as `fovea probe FILE`. Without a program (nil),
    /// files are opened in this process, and a damaged file may end it.
    public static var program: String? {
        get { state.withLock { $0.program } }
        set { state.withLock { $0.program = newValue } }
    }

    /// Reads the file in a child process, if there is a program for it. A file that this process wrote, or that a child
    /// has already read, is not read again.
    ///
    /// - Returns: whether a child has read the file, in this call of `check` or an earlier one. Such a child also
    ///   compares the bytes of a sample set with their digest.
    /// - Throws: `Failure`: `.badData` if the child crashed; the child's own failure if it reported one;
    ///   `.readOrWriteFailed` if no child could be started; `.interrupted`.
    @discardableResult
    package static func check(_ path: String) throws -> Bool {
        guard let program else { return false }
        let identity = FileIdentity(path)
        if let identity {
            let (isOwn, isChecked) = state.withLock { ($0.own.contains(identity), $0.checked.contains(identity)) }
            if isChecked || isOwn { return isChecked }
        }
        let answer = try ask(program, [path], about: path)
        switch answer.end {
        case .crashed(let signal):
            throw Failure(.badData, path, "is damaged: HDF5 crashed on reading it (signal \(signal))")
        case .exited(0):
            if let identity { state.withLock { _ = $0.checked.insert(identity) } }
            return true
        case .exited(let code):
            let sentence = answer.lastError ?? "could not be read"
            let prefix = "fovea: \(path): "
            throw Failure(
                Failure.Kind(rawValue: code) ?? .badData, path,
                sentence.hasPrefix(prefix) ? String(sentence.dropFirst(prefix.count)) : sentence)
        }
    }

    /// Remembers that this process has just written the file, so that no child has to read it.
    package static func noteOwn(_ path: String) {
        guard let identity = FileIdentity(path) else { return }
        state.withLock { _ = $0.own.insert(identity) }
    }

    /// What is wrong with the content of an HDF5 file, pictures included; nil if there is no program to ask.
    /// - Throws: `Failure`: `.readOrWriteFailed` if no child could be started; `.interrupted`; `.badData`.
    package static func findings(_ path: String) throws -> [Finding]? {
        guard let program else { return nil }
        let answer = try ask(program, [path, "--content"], about: path)
        switch answer.end {
        case .crashed(let signal) where signal == SIGXCPU:
            return [Finding("structure", "HDF5 does not finish reading it")]
        case .crashed(let signal): return [Finding("structure", "HDF5 crashes on reading it (signal \(signal))")]
        case .exited(0):
            let findings = try JSONText.decode([Finding].self, answer.output, place: path)
            // A child has read the whole file without a finding, so this process may read it, too.
            if findings.isEmpty { noteOwn(path) }
            return findings
        case .exited: return [Finding("structure", answer.lastError ?? "could not be read")]
        }
    }

    /// All sites from which the models of a sample set come; nil if there is no program to ask.
    /// - Throws: `Failure`: `.badData` if the child cannot read them; `.readOrWriteFailed` if no child could be
    ///   started; `.interrupted`.
    package static func lineageSites(_ path: String) throws -> Set<String>? {
        guard let program else { return nil }
        let answer = try ask(program, [path, "--sites"], about: path)
        guard case .exited(0) = answer.end else { throw Failure(.badData, path, "its lineage could not be read") }
        return try JSONText.decode(Set<String>.self, answer.output, place: path)
    }

    private enum End {
        case exited(Int32)
        case crashed(signal: Int32)
    }

    private struct Answer {
        let end: End
        let output: Data
        let errors: String

        var lastError: String? { errors.split(separator: "\n").last.map(String.init) }
    }

    private static func ask(_ program: String, _ arguments: [String], about path: String) throws -> Answer {
        let child = Process()
        child.executableURL = URL(fileURLWithPath: program)
        child.arguments = ["probe"] + arguments
        child.standardInput = FileHandle.nullDevice
        // The output goes to a file and not to a second pipe. A child that fills one pipe while this process reads the
        // other would wait for ever.
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("fovea-probe-\(UUID().uuidString)")
            .path
        let descriptor = open(output, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(.readOrWriteFailed, output, "could not be written: \(String(cString: strerror(errno)))")
        }
        // The file disappears when the last process that has it open ends.
        unlink(output)
        let target = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        child.standardOutput = target
        let errors = Pipe()
        child.standardError = errors
        do {
            try child.run()
        } catch {
            throw Failure(.readOrWriteFailed, path, "could not be checked: \((error as NSError).localizedDescription)")
        }
        let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        child.waitUntilExit()
        let isCrash = child.terminationReason == .uncaughtSignal, status = child.terminationStatus
        // A terminal sends its signals to the child, too. The child may end before this process has received the
        // signal.
        if isCrash, [SIGINT, SIGTERM, SIGHUP].contains(status) {
            throw Failure(.interrupted, nil, "interrupted: \(path) was being read")
        }
        try Cancellation.check("\(path) was being read")
        try? target.seek(toOffset: 0)
        return Answer(
            end: isCrash ? .crashed(signal: status) : .exited(status), output: (try? target.readToEnd()) ?? Data(),
            errors: said)
    }
}

/// Which file is at a path, and in which state. Another file has another identity, and so has other content.
private struct FileIdentity: Hashable {
    private let device, inode: UInt64
    private let size, seconds, nanoseconds, changedSeconds, changedNanoseconds: Int

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int(status.st_size)
        (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        (changedSeconds, changedNanoseconds) = (status.st_ctim.tv_sec, status.st_ctim.tv_nsec)
    }
}
