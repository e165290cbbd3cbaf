import Networks
import TensorCore

/// The speed of a 3x3 convolution with stride 1, as in the output of `fovea bench --json`.
public struct ConvolutionResult: Codable, Sendable {
    public let height: Int, width: Int
    public let `in`: Int, out: Int
    /// Floating-point operations of the direct algorithm, divided by the time.
    public let forward_gflops: Double, backward_gflops: Double
}

/// The results of `fovea bench`.
public struct BenchmarkReport: Codable, Sendable {
    public let preset: String
    public let batch: Int
    /// The channels of the network's input.
    public let channels: Int
    /// Medians over the repeats.
    public let forward_ms: Double
    public let step_ms: Double
    /// Floating-point operations of the direct algorithm, divided by the time. A step counts as three forward passes.
    public let forward_gflops: Double
    public let step_gflops: Double
    /// The number of memory blocks that steps after the third took from the system; it should be 0.
    public let new_buffers: Int
    /// The process's peak memory (VmHWM) at the end.
    public var peak_mib = 0
    /// The best of several rounds in which each thread computes one product of 1024 x 1024 matrices by OpenBLAS.
    public let sgemm_gflops: Double
    public let threads: Int
    public let blas_core: String
    public let instruction_set: String
    public let conv3x3: [ConvolutionResult]
    public var operations: [OperationResult]?

    /// - Parameters:
    ///   - channels: channels of the network's input: 3 for pixels, more in wavelet space.
    ///   - withOperations: whether to time all operations besides the 3x3 convolutions.
    ///   - progress: called with the name of what is measured next.
    public init(
        preset: Preset, channels: Int, batch: Int, size: Int, repeats: Int, recompute: Bool, withOperations: Bool,
        progress: (String) -> Void
    ) {
        let configuration = preset.configuration(channels: channels)
        progress(
            "\(preset.rawValue), \(size) x \(size) x \(channels), batch \(batch): forward passes and training steps")
        let network = NetworkBenchmark(configuration, batchSize: batch, size: size)
        network.recompute = recompute
        forward_ms = Timing.of(repeats: repeats) { network.forward() }.median
        for _ in 0..<3 { network.step() }
        let buffers = Allocator.statistics.systemAllocations
        step_ms = Timing.of(repeats: repeats) { network.step() }.median
        new_buffers = Allocator.statistics.systemAllocations - buffers
        let operations = configuration.forwardOperations(height: size, width: size) * Double(batch)
        forward_gflops = operations / forward_ms / 1e6
        step_gflops = 3 * operations / step_ms / 1e6
        progress("sgemm")
        let peak = ComputeEnvironment.sgemmPeak()
        sgemm_gflops = peak
        self.preset = preset.rawValue
        self.batch = batch
        self.channels = channels
        threads = ComputeEnvironment.threads
        blas_core = ComputeEnvironment.blasCore
        instruction_set = ComputeEnvironment.instructionSet
        func measured(_ list: [OperationBenchmark]) -> [OperationResult] {
            list.map {
                progress($0.name)
                return $0.measured(repeats: repeats, peak: peak)
            }
        }
        let convolutions = measured(OperationBenchmark.convolutions(batch: batch))
        conv3x3 = zip(convolutions, OperationBenchmark.convolutions(batch: 1)).map { result, benchmark in
            ConvolutionResult(
                height: result.shape[1], width: result.shape[2], in: result.shape[3], out: benchmark.inputs[1].shape[3],
                forward_gflops: result.forward.gflops, backward_gflops: result.backward.gflops)
        }
        if withOperations { self.operations = convolutions + measured(OperationBenchmark.others(batch: batch)) }
    }
}
