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
        case .exited(let code): throw failure(code, answer, path)
        }
    }

    /// Remembers that this process has just written the file, so that no child has to read it.
    package static func noteOwn(_ path: String) {
        guard let identity = FileIdentity(path) else { return }
        state.withLock { _ = $0.own.insert(identity) }
    }

    /// What is wrong with the content of an HDF5 file, pictures included; nil if there is no program to ask.
    /// - Throws: `Failure`: `.readOrWriteFailed` if no child could be started or the child could not read the file;
    ///   `.interrupted`; `.badData`.
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
        case .exited(let code):
            let failure = failure(code, answer, path)
            // What the system refuses says nothing about the file.
            if failure.kind == .readOrWriteFailed { throw failure }
            return [Finding("structure", failure.sentence)]
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

    /// Asks the program about a file.
    private static func ask(_ program: String, _ arguments: [String], about path: String) throws -> ChildProgram {
        let answer = try ChildProgram(program, ["probe"] + arguments, about: path)
        // A terminal sends its signals to the child, too. The child may end before this process has received the
        // signal.
        if case .crashed(let signal) = answer.end, [SIGINT, SIGTERM, SIGHUP].contains(signal) {
            throw Failure(.interrupted, nil, "interrupted: \(path) was being read")
        }
        try Cancellation.check("\(path) was being read")
        return answer
    }

    /// The failure that a child reported.
    private static func failure(_ code: Int32, _ answer: ChildProgram, _ path: String) -> Failure {
        let sentence = answer.errors.split(separator: "\n").last.map(String.init) ?? "could not be read"
        let prefix = ["fovea: \(path): ", "fovea: "].first(where: sentence.hasPrefix) ?? ""
        return Failure(
            Failure.Kind(rawValue: code) ?? .badData, path, String(sentence.dropFirst(prefix.count)))
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
