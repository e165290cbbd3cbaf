import CKernels

/// The table of kernels for the device in use.
///
/// Operations call the kernels; networks and everything above them call operations. C's kernels appear only in this
/// folder and in `Operations`.
enum Kernels {
    /// The loops of the instruction set that was chosen at first use.
    /// This is a constant. It is marked unsafe only because C struct types are not Sendable.
    nonisolated(unsafe) static let table: fovea_kernel_table = {
        fovea_blas_use_one_thread()
        return fovea_kernels().pointee
    }()
}

/// What this process computes with, for provenance and for `doctor`.
public enum ComputeEnvironment {
    /// `default`, `v3` or `v4`.
    public static var instructionSet: String { String(cString: Kernels.table.name) }

    /// Why the environment variable FOVEA_ISA was not followed; nil where it was followed or is not set.
    public static var instructionSetProblem: String? {
        fovea_isa_problem().map { String(cString: $0) }
    }

    /// The name of the kernels that OpenBLAS chose, such as `SkylakeX` or `Haswell`.
    public static var blasCore: String {
        _ = Kernels.table
        return String(cString: fovea_blas_core())
    }

    /// OpenBLAS's version, such as `0.3.21`.
    public static var blasVersion: String {
        let words = String(cString: fovea_blas_version()).split(separator: " ")
        return words.count > 1 ? String(words[1]) : words.joined()
    }

    /// Cores that the process may use (affinity and cgroup quota).
    public static var availableCores: Int { fovea_available_cores() }

    /// How many more threads the system gives the process at the same time, up to `count`. They are started and ended.
    public static func startableThreads(upTo count: Int) -> Int { fovea_startable_threads(count) }

    /// The number of threads that operations use. Results do not depend on it.
    public static var threads: Int {
        get { fovea_thread_count() }
        set { fovea_set_thread_count(newValue) }
    }

    /// GFLOP/s of OpenBLAS's sgemm on all threads: the best of `rounds` rounds. In each round every thread computes one
    /// product of 1024 x 1024 matrices.
    public static func sgemmPeak(rounds: Int = 8) -> Double {
        let side = 1024, count = threads
        let a = (0..<3 * count).map { _ in Tensor(repeating: 0.5, shape: [side, side]) }
        let clock = ContinuousClock()
        _ = Kernels.table
        let times = (0...rounds).map { _ in
            clock.measure {
                parallelFor(count) { task in
                    fovea_sgemm(
                        0, 0, side, side, side, 1, a[3 * task].pointer, side, a[3 * task + 1].pointer, side, 0,
                        a[3 * task + 2].pointer, side)
                }
            } / .seconds(1)
        }
        let cubed = Double(side * side) * Double(side)
        return 2 * cubed * Double(count) / (times.dropFirst().min() ?? 1) / 1e9
    }
}
