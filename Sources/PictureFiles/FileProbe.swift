import Files
import Foundation
import Synchronization

/// Opens an HDF5 file in a process of its own before this process does.
///
/// HDF5 1.10 can crash on damaged or hostile files (a flipped byte in an attribute's heap is enough). A crash there
/// ends the child, and the user reads a sentence. `DatasetFile` and `SampleSetFile` ask for it whenever they open a
/// file that this process did not write itself.
public enum FileProbe {
    private struct State {
        var program: String?
        /// Files that this process wrote, or that a child has read without comparing their bytes with a digest.
        var own: Set<FileIdentity> = []
        var checked: Set<FileIdentity> = []
    }

    private static let state = Mutex(State())

    /// The program that reads files: `fovea`, which is called as `fovea probe FILE`. nil stands for none; then files
    /// are opened in this process, and a damaged one may end it.
    public static var program: String? {
        get { state.withLock { $0.program } }
        set { state.withLock { $0.program = newValue } }
    }

    /// Reads the file in a child process, where there is a program for it and neither this process nor an earlier child
    /// has written or read the same file.
    ///
    /// - Returns: whether a child has read it. A child also compares the bytes of a sample set with their digest.
    /// - Throws: `Failure(.badData)` where the child crashed; the child's own failure where it found one.
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

    /// Takes down that this process has just written the file, so that no child has to read it.
    package static func noteOwn(_ path: String) {
        guard let identity = FileIdentity(path) else { return }
        state.withLock { _ = $0.own.insert(identity) }
    }

    /// What is wrong with the content of an HDF5 file, pictures included; nil where there is no program to ask.
    package static func findings(_ path: String) throws -> [Finding]? {
        guard let program else { return nil }
        let answer = try ask(program, [path, "--content"], about: path)
        switch answer.end {
        case .crashed(let signal) where signal == SIGXCPU:
            return [Finding("structure", "HDF5 comes to no end on reading it")]
        case .crashed(let signal): return [Finding("structure", "HDF5 crashes on reading it (signal \(signal))")]
        case .exited(0):
            let findings = try JSONText.decode([Finding].self, answer.output, place: path)
            // Read to the end without a finding: this process may read it, too.
            if findings.isEmpty { noteOwn(path) }
            return findings
        case .exited: return [Finding("structure", answer.lastError ?? "could not be read")]
        }
    }

    /// Every site that the models of a sample set come from; nil where there is no program to ask.
    /// - Throws: `Failure(.badData)` where it cannot be read.
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
        // A file, and no second pipe: a child that fills one pipe while the other is read would wait for ever.
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("fovea-probe-\(UUID().uuidString)")
            .path
        let descriptor = open(output, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(.readOrWriteFailed, output, "could not be written: \(String(cString: strerror(errno)))")
        }
        // It goes with the last process that has it open.
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
        // A terminal sends its signals to the child, too, which may be gone before this process has heard of them.
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

/// Which file stands at a path, and in which state: another file, or other content, has another identity.
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
