import ArgumentParser
import Files
import Foundation
import FundusData
import SampleStore

/// Opens an HDF5 file in a process of its own before this one does.
///
/// HDF5 1.10 can crash on damaged or hostile files (a flipped byte in an attribute's heap is enough); a crash there ends the
/// child, and the user reads a sentence.
enum FileProbe {
    /// - Throws: `Failure(.badData)` where the child crashed; its own failure where it found one.
    static func check(_ path: String) throws {
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = ["probe", path]
        child.standardInput = FileHandle.nullDevice
        child.standardOutput = FileHandle.nullDevice
        let errors = Pipe()
        child.standardError = errors
        do {
            try child.run()
        } catch {
            throw Failure(.readOrWriteFailed, path, "could not be checked: \((error as NSError).localizedDescription)")
        }
        let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        child.waitUntilExit()
        if child.terminationReason == .uncaughtSignal {
            throw Failure(.badData, path, "is damaged: HDF5 crashed on reading it (signal \(child.terminationStatus))")
        }
        if child.terminationStatus != 0 {
            let sentence = said.split(separator: "\n").last.map(String.init) ?? "could not be read"
            let prefix = "fovea: \(path): "
            throw Failure(
                Failure.Kind(rawValue: child.terminationStatus) ?? .badData, path,
                sentence.hasPrefix(prefix) ? String(sentence.dropFirst(prefix.count)) : sentence)
        }
    }
}

/// What the child runs: reads everything but the pictures.
struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Reads an HDF5 file; fails where it is damaged.", shouldDisplay: false)

    @Argument var file: String

    func run() async throws {
        // No core files and no minutes-long traces for a crash that is expected.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        for number in [SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP] { signal(number, SIG_DFL) }
        switch try FileSort(contentsOf: file) {
        case .sampleSet:
            try SampleSetFile.verifyUserBlock(file)
            _ = try await SampleSetFile.describe(file)
        case .hdf5:
            _ = try await DatasetFile.describe(file)
        case .weights:
            throw Failure(.badData, file, "is a weights file, and a data set was expected")
        }
    }
}
