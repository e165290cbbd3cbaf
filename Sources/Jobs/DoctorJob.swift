import Files
import Foundation
import HDF5Files
import TensorCore

/// Reports versions, CPU, BLAS, HDF5, memory and disk, and what would go wrong.
public struct DoctorJob: Job {
    public init() {}

    /// One thing that was checked.
    public struct Check: Encodable, Sendable {
        public let name: String
        public let ok: Bool
        public let value: String
        /// What would go wrong and what to do about it; nil where nothing would.
        public let advice: String?

        fileprivate init(_ name: String, _ value: String, problem: String? = nil) {
            self.name = name
            ok = problem == nil
            self.value = value
            advice = problem
        }
    }

    public struct Outcome: JobOutcome {
        public let ok: Bool
        public let checks: [Check]

        public var lines: [String] {
            checks.map {
                "\($0.ok ? "ok     " : "problem") \($0.name): \($0.value)\($0.advice.map { "; \($0)" } ?? "")"
            }
        }

        public var refusal: Failure? {
            let names = checks.filter { !$0.ok }.map(\.name)
            return names.isEmpty
                ? nil : Failure(.checkFailed, nil, "something would go wrong: \(names.joined(separator: ", "))")
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let checks = [
            Check("fovea", ToolVersion.current),
            Check("cpu", DoctorJob.value(of: "model name", in: "/proc/cpuinfo") ?? "unknown"),
            Check(
                "kernels", ComputeEnvironment.instructionSet,
                problem: ComputeEnvironment.instructionSetProblem ?? DoctorJob.slowKernels),
            Check("threads", "\(ComputeEnvironment.threads) of \(ComputeEnvironment.availableCores) available cores"),
            DoctorJob.blas(),
            Check("hdf5", await HDF5Library.version),
            DoctorJob.memory(),
            DoctorJob.disk(),
        ]
        return Outcome(ok: checks.allSatisfy(\.ok), checks: checks)
    }

    private static var slowKernels: String? {
        ComputeEnvironment.instructionSet == "default" && ProcessInfo.processInfo.environment["FOVEA_ISA"] == nil
            ? "the CPU has no AVX2; training will be slow" : nil
    }

    /// OpenBLAS does no work that training or sampling waits for, so that any of its kernels is good enough.
    private static func blas() -> Check {
        Check("blas", "OpenBLAS \(ComputeEnvironment.blasVersion), core \(ComputeEnvironment.blasCore)")
    }

    private static func memory() -> Check {
        let available = MemoryFigures.available
        return Check(
            "memory", "\(available >> 20) MiB available",
            problem: available < 2 << 30
                ? "training with the small preset takes about 1.5 GiB; close other programs" : nil)
    }

    private static func disk() -> Check {
        let folder = FileManager.default.currentDirectoryPath
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
        let free = (attributes?[.systemFreeSize] as? NSNumber)?.int64Value ?? 0
        return Check(
            "disk", "\(free >> 20) MiB free here",
            problem: free < 1 << 30 ? "a run and its samples take about 1 GiB; free some space or work elsewhere" : nil)
    }

    /// The value of the first line `name : value` of a file under /proc.
    private static func value(of name: String, in path: String) -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(separator: ":", maxSplits: 1).last.map { $0.trimmingCharacters(in: .whitespaces) }
    }
}
