import CheckpointStore
import Files
import Foundation
import Models
import Networks

/// What Tools/bench drives: weights, batch and results by files in a folder, timings by standard input and output.
public struct BenchExchange {
    private let folder: String

    public init(folder: String) { self.folder = folder }

    /// One batch (`batch.safetensors`) through one snapshot's network; the output goes to `results.safetensors`.
    public func probe(model: String) throws {
        let file = folder + "/batch.safetensors"
        let probe = try ModelProbe(
            try LoadedModel(contentsOf: model), batch: try Safetensors(contentsOf: file), file: file)
        try write(probe.results())
    }

    /// Answers each line `forward`, `step` or `results` on standard input with its time and the peak memory.
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
