import Files
import PictureFiles
import TensorCore

/// What is the process's, whatever jobs it runs.
public enum Machine {
    /// Cores that this process may use.
    public static var availableCores: Int { ComputeEnvironment.availableCores }

    /// Threads that networks are computed with. No number depends on it.
    public static var threads: Int {
        get { ComputeEnvironment.threads }
        set { ComputeEnvironment.threads = newValue }
    }

    /// The most memory that the process has held, in MiB.
    public static var peakMebibytes: Int { MemoryFigures.peak >> 20 }

    /// The program `fovea`, which reads HDF5 files in a process of its own before this process opens them, so that a
    /// damaged or hostile file ends that process and not this one. nil, the default of a library, opens them here.
    public static var probeProgram: String? {
        get { FileProbe.program }
        set { FileProbe.program = newValue }
    }
}
