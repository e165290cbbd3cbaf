import Files
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
