import Datasets
import Diffusion
import Files
import Foundation
import HDF5Files
import PictureFiles
import SampleStore

/// What the child process of `FileProbe` does: `fovea probe FILE [--content | --sites]`. A crash of the HDF5 library
/// ends only that process.
public enum ProbeAnswer {
    /// What is asked about the file.
    public enum Question: Sendable {
        /// Whether everything but the pictures can be read.
        case structure
        /// What is wrong with the file, including its pictures.
        case content
        /// The sites of a sample set's lineage.
        case sites
    }

    /// Reads the file as the child process does. Call this in a process that does nothing else: the function changes
    /// what signals do, and limits the time that the process may take.
    ///
    /// - Returns: the answer as JSON; nil for `.structure`.
    /// - Throws: `Failure(.noSuchInput)`; `Failure(.badData)` or `Failure(.checkFailed)` naming what is damaged.
    public static func answer(_ question: Question, _ file: String) async throws -> String? {
        FileProbe.program = nil
        // A crash is expected here, and should write no core file and no trace that takes minutes.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        for number in [SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP, SIGXCPU] { signal(number, SIG_DFL) }
        // What was ignored when the process began stays ignored (SIG_IGN is the address 1).
        for number in [SIGINT, SIGTERM, SIGHUP] {
            if let before = signal(number, SIG_DFL), unsafeBitCast(before, to: Int.self) == 1 {
                signal(number, before)
            }
        }
        // The parent's thread blocks these signals, and a child process inherits that.
        var unblocked = sigset_t()
        sigemptyset(&unblocked)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&unblocked, number) }
        pthread_sigmask(SIG_UNBLOCK, &unblocked, nil)
        switch question {
        case .structure:
            try await readStructure(file)
            return nil
        case .content:
            // A damaged structure can lead in a circle. No file should take more than 30 s and 1 s for each 2 MB.
            let size = (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
            var limit = rlimit(rlim_cur: rlim_t(30 + size / 2_000_000), rlim_max: .max)
            setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &limit)
            return try JSONText.encoded(try await findings(file))
        case .sites:
            try UserBlock.verify(file)
            return try JSONText.encoded(try await lineageSites(file).sorted())
        }
    }

    private static func readStructure(_ file: String) async throws {
        switch try FileSort(contentsOf: file) {
        case .sampleSet: _ = try await SampleSetFile.describe(file)
        case .hdf5: _ = try await DatasetFile.describe(file)
        case .weights: throw Failure(.badData, file, "is a weights file, and a data set was expected")
        }
    }

    /// What is wrong with the content of an HDF5 file. The file is read in a process of its own where
    /// `FileProbe.program` is set.
    static func findings(_ file: String) async throws -> [Finding] {
        if let found = try FileProbe.findings(file) { return found }
        guard case .sampleSet = try FileSort(contentsOf: file) else { return await DatasetFile.findings(file) }
        return await SampleSetVerification.findingsInContent(file, samplers: SamplerKind.allCases.map(\.rawValue))
    }

    /// Every site that the models of a sample set come from.
    static func lineageSites(_ file: String) async throws -> Set<String> {
        if let found = try FileProbe.lineageSites(file) { return found }
        return try await SampleSetFile.open(file, verifying: false).description().lineage
            .reduce(into: Set<String>()) { $0.formUnion($1.allSites) }
    }
}
