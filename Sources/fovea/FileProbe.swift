import ArgumentParser
import Datasets
import Diffusion
import Files
import Foundation
import SampleStore

/// Opens an HDF5 file in a process of its own before this one does.
///
/// HDF5 1.10 can crash on damaged or hostile files (a flipped byte in an attribute's heap is enough); a crash there
/// ends the child, and the user reads a sentence.
enum FileProbe {
    /// - Throws: `Failure(.badData)` where the child crashed; its own failure where it found one.
    static func check(_ path: String) throws {
        let (status, _, said) = try run([path], on: path)
        switch status {
        case .crashed(let signal):
            throw Failure(.badData, path, "is damaged: HDF5 crashed on reading it (signal \(signal))")
        case .exited(0): return
        case .exited(let code):
            let sentence = said.split(separator: "\n").last.map(String.init) ?? "could not be read"
            let prefix = "fovea: \(path): "
            throw Failure(
                Failure.Kind(rawValue: code) ?? .badData, path,
                sentence.hasPrefix(prefix) ? String(sentence.dropFirst(prefix.count)) : sentence)
        }
    }

    /// What is wrong with the content of an HDF5 file, pictures included.
    static func findings(_ path: String) throws -> [Finding] {
        let (status, output, said) = try run([path, "--content"], on: path)
        switch status {
        case .crashed(let signal) where signal == SIGXCPU:
            return [Finding("structure", "HDF5 comes to no end on reading it")]
        case .crashed(let signal): return [Finding("structure", "HDF5 crashes on reading it (signal \(signal))")]
        case .exited(0): return try JSONText.decode([Finding].self, output, place: path)
        case .exited:
            return [Finding("structure", said.split(separator: "\n").last.map(String.init) ?? "could not be read")]
        }
    }

    /// Every site that the models of a sample set come from.
    /// - Throws: `Failure(.badData)` where it cannot be read.
    static func lineageSites(_ path: String) throws -> Set<String> {
        let (status, output, _) = try run([path, "--sites"], on: path)
        guard case .exited(0) = status else { throw Failure(.badData, path, "its lineage could not be read") }
        return try JSONText.decode(Set<String>.self, output, place: path)
    }

    private enum Status {
        case exited(Int32)
        case crashed(signal: Int32)
    }

    private static func run(_ arguments: [String], on path: String) throws -> (Status, output: Data, errors: String) {
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
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
        try Interruption.check("\(path) was being read")
        let status =
            child.terminationReason == .uncaughtSignal
            ? Status.crashed(signal: child.terminationStatus) : .exited(child.terminationStatus)
        try? target.seek(toOffset: 0)
        return (status, (try? target.readToEnd()) ?? Data(), said)
    }
}

/// What the child runs: reads everything but the pictures.
struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Reads an HDF5 file; fails where it is damaged.", shouldDisplay: false)

    @Argument var file: String

    @Flag(help: "Read the pictures, too, and print what is wrong as JSON.")
    var content = false

    @Flag(help: "Print the sites of a sample set's lineage as JSON.")
    var sites = false

    func run() async throws {
        // No core files and no minutes-long traces for a crash that is expected.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        for number in [SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP, SIGXCPU, SIGINT, SIGTERM] {
            signal(number, SIG_DFL)
        }
        let sort = try FileSort(contentsOf: file)
        if content {
            // A damaged structure can lead in a circle: at 2 MB a second and half a minute more, something is wrong.
            let size = (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
            var limit = rlimit(rlim_cur: rlim_t(30 + size / 2_000_000), rlim_max: .max)
            setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &limit)
            let findings =
                sort == .sampleSet
                ? await SampleSetVerification.findingsInContent(file, samplers: SamplerKind.allCases.map(\.rawValue))
                : await DatasetFile.findings(file)
            print(try JSONText.encoded(findings))
            return
        }
        switch sort {
        case .sampleSet:
            try UserBlock.verify(file)
            let description = try await SampleSetFile.describe(file)
            if sites {
                print(
                    try JSONText.encoded(
                        description.lineage.reduce(into: Set<String>()) { $0.formUnion($1.allSites) }.sorted()))
            }
        case .hdf5:
            _ = try await DatasetFile.describe(file)
        case .weights:
            throw Failure(.badData, file, "is a weights file, and a data set was expected")
        }
    }
}
