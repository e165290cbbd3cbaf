import CheckpointStore
import Files
import Foundation
import Models
import Networks

/// The side that Tools/bench drives. Weights, batch and results are files in a folder; timings go through standard
/// input and output.
public struct BenchExchange {
    private let folder: String

    public init(folder: String) { self.folder = folder }

    /// Runs one batch (`batch.safetensors`) through the network of one snapshot; the output goes to
    /// `results.safetensors`.
    /// - Throws: `Failure` of the files; errors of writing.
    public func probe(model: String) throws {
        let file = folder + "/batch.safetensors"
        let probe = try ModelProbe(
            try LoadedModel(contentsOf: model), batch: try Safetensors(contentsOf: file), file: file)
        try write(probe.results())
    }

    /// Answers each line `forward`, `step` or `results` on standard input with the time that it took and the peak
    /// memory.
    /// - Throws: `Failure`: `.usage` for any other line; errors of the files.
    public func run(_ configuration: UNetConfiguration, recompute: Bool) throws {
        let network = try NetworkBenchmark(
            configuration, weights: try Safetensors(contentsOf: folder + "/weights.safetensors"),
            batch: try Safetensors(contentsOf: folder + "/batch.safetensors"), file: folder)
        network.recompute = recompute
        let clock = ContinuousClock()
        while let line = readLine() {
            let duration: Duration
            switch line {
            case "results": duration = try clock.measure { try write(network.results()) }
            case "forward": duration = clock.measure { network.forward() }
            case "step": duration = clock.measure { network.step() }
            default:
                throw Failure(
                    .usage, "standard input", field: "line", expected: "results, forward or step", found: line)
            }
            let answer = "{\"ms\":\(duration / .milliseconds(1)),\"peak_mib\":\(MemoryFigures.peak >> 20)}\n"
            try FileHandle.standardOutput.write(contentsOf: Data(answer.utf8))
        }
    }

    private func write(_ results: Safetensors) throws {
        try results.encoded(as: .f32).write(to: URL(fileURLWithPath: folder + "/results.safetensors"))
    }
}
