import Files
import Foundation
import PictureFiles
import TensorCore

/// Settings and figures of the whole process, which all its jobs share.
public enum Machine {
    /// The number of cores that this process may use.
    public static var availableCores: Int { ComputeEnvironment.availableCores }

    /// The number of threads that compute networks. No result depends on it.
    public static var threads: Int {
        get { ComputeEnvironment.threads }
        set { ComputeEnvironment.threads = newValue }
    }

    /// Why the process cannot work, where the system gives it too few threads (`ulimit -u`, the limit of a container);
    /// nil where there are enough. Without them, Swift's runtime waits for ever. Ask before anything asynchronous runs.
    public static var threadProblem: String? {
        guard ComputeEnvironment.startableThreads(upTo: neededThreads) < neededThreads else { return nil }
        return """
            the system does not give this process the \(neededThreads) threads that it needs; raise the limit on \
            processes and threads (ulimit -u, or that of the container), or end other programs of the same user
            """
    }

    /// Threads besides the first one that a command holds at the same time, apart from those that compute: for
    /// signals, for the job, and for the queues of Swift's runtime.
    private static let neededThreads = 8

    /// Sets the number of threads that compute networks: `count`, or fewer where the system gives the process fewer.
    /// What the runtime needs is left free, and so is what a child process needs that reads an HDF5 file.
    public static func setThreads(upTo count: Int) {
        let others = 2 * (neededThreads + 1)
        threads = max(1, min(count, ComputeEnvironment.startableThreads(upTo: count + others) - others))
    }

    /// Lets the process open as many files as the system allows it at most.
    public static func raiseFileLimit() {
        var limit = rlimit()
        let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(kind, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(kind, &limit)
    }

    /// Sets who is told what is wrong with the process's surroundings and does not stop the work, such as a file system
    /// without locks. Each warning is given once.
    public static func onWarning(_ tell: @escaping @Sendable (String) -> Void) { ProcessWarnings.listen(tell) }

    /// The most memory that the process has held, in MiB.
    public static var peakMebibytes: Int { MemoryFigures.peak >> 20 }

    /// The path of the program `fovea`. Before this process opens an HDF5 file, that program reads it in a process of
    /// its own, so that a damaged or hostile file ends that process and not this one. Nil, the default in a library,
    /// opens files only in this process.
    public static var probeProgram: String? {
        get { FileProbe.program }
        set { FileProbe.program = newValue }
    }
}
