import ArgumentParser
import Benchmarks
import CheckpointStore
import Files
import Foundation
import Models
import Networks

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Times operations and whole steps: GFLOP/s, share of the machine's sgemm peak, memory.",
        discussion: """
            Operations are counted directly, whatever computes them: a convolution by Winograd can pass the peak. \
            Measure on a \
            machine that does nothing else. Tools/bench/against-pytorch compares with PyTorch, \
            Tools/bench/against-h5py the writer of \
            sample sets (--store) with h5py, Tools/bench/against-faiss the search for nearest neighbours (--neighbors) \
            with faiss.

            Example: fovea bench --preset base --batch 8 --ops
            """)

    @Option(help: "Network: \(Preset.allCases.map(\.rawValue).joined(separator: ", ")).")
    var preset: Preset = .base

    @Option(help: ArgumentHelp("Pictures a batch.", valueName: "n"))
    var batch = 8

    @Option(help: ArgumentHelp("Height and width of the pictures.", valueName: "pixels"))
    var size = 64

    @Option(
        help: ArgumentHelp(
            "Channels of the network's input: 3 in pixels, 192 for 256 pixels in wavelet space.", valueName: "n"))
    var channels = 3

    @Option(help: ArgumentHelp("Runs of each; the median counts.", valueName: "n"))
    var repeats = 7

    @Flag(help: "Every operation, not only whole steps and 3x3 convolutions.")
    var ops = false

    @Flag(help: "Training steps keep the inputs of blocks alone and compute the rest again.")
    var recompute = false

    @Option(help: ArgumentHelp("Instead: how fast a sample set of 2000 pictures is written there.", valueName: "s.h5"))
    var store: String?

    @Option(help: ArgumentHelp("With --store: samples.", valueName: "n"))
    var samples = 2000

    @Option(help: ArgumentHelp("With --store: zlib's level, 0 for none.", valueName: "level"))
    var deflate = 1

    @Flag(help: "Instead: exact nearest neighbours of random vectors.")
    var neighbors = false

    @Option(help: ArgumentHelp("With --neighbors: vectors whose neighbours are looked for.", valueName: "n"))
    var probes = 10_000

    @Option(help: ArgumentHelp("With --neighbors: vectors that they are looked for among.", valueName: "n"))
    var gallery = 100_000

    @Option(help: ArgumentHelp("With --neighbors: numbers a vector.", valueName: "n"))
    var width = 512

    @Option(help: ArgumentHelp("With --neighbors: neighbours of each.", valueName: "k"))
    var nearest = 10

    @Option(
        help: ArgumentHelp(
            "For Tools/bench/merge-parcels: a base of the preset and parcels of --count sites, made in a folder.",
            valueName: "folder", visibility: .hidden))
    var parcels: String?

    @Option(help: ArgumentHelp("With --parcels: sites.", valueName: "n", visibility: .hidden))
    var count = 100

    @Option(help: ArgumentHelp("With --parcels: ffa, lora or full.", valueName: "kind", visibility: .hidden))
    var adapter: AdapterOption = .ffa

    @Option(
        help: ArgumentHelp(
            """
            For Tools/bench: weights and batch from a folder, then one timing for each line `forward` or `step` on \
            standard input; with --neighbors, vectors.
            """,
            valueName: "folder", visibility: .hidden))
    var exchange: String?

    @Option(
        help: ArgumentHelp(
            """
            With --exchange: the snapshot whose network's output for batch.safetensors is written to \
            results.safetensors.
            """,
            valueName: "snapshot", visibility: .hidden))
    var model: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        for (name, value, range) in [
            ("batch", batch, 1...1024), ("channels", channels, 1...4096), ("repeats", repeats, 1...1000),
            ("size", size, 8...1024), ("samples", samples, 1...10_000_000),
            ("deflate", deflate, 0...9), ("count", count, 1...10_000), ("probes", probes, 1...10_000_000),
            ("gallery", gallery, 1...10_000_000),
            ("width", width, 1...100_000), ("nearest", nearest, 1...1000),
        ]
        where !range.contains(value) {
            throw ValidationError("--\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
        }
        let multiple = preset.configuration(channels: channels).sideMultiple
        if size % multiple != 0 { throw ValidationError("--size: expected a multiple of \(multiple), found \(size)") }
    }

    func run() async throws {
        common.apply()
        if let exchange, let model { return try probe(model, exchange) }
        let console = common.console
        if neighbors {
            let result =
                try exchange.map { try NeighborBenchmark(folder: $0, width: width, k: nearest) }
                ?? NeighborBenchmark(probes: probes, gallery: gallery, width: width, k: nearest)
            let figures = result.neighbors
            return try console.finish(
                result,
                [
                    """
                    \(figures.k) nearest of \(figures.gallery) to each of \(figures.probes), \(figures.width) numbers \
                    each: \(figures.seconds.short) s, \(figures.peak_mib) MiB
                    """
                ])
        }
        if let exchange { return try driven(exchange) }
        if let parcels {
            return try ParcelMaker(folder: parcels, preset: preset, adapter: AdapterKind(rawValue: adapter.rawValue))
                .write(count: count)
        }
        if let store {
            let result = try await StoreBenchmark(
                path: store, samples: samples, size: size, batch: batch, deflate: deflate, threads: common.threadCount)
            return try console.finish(
                result,
                [
                    """
                    \(samples) pictures of \(size) x \(size), deflate \(deflate): \
                    \(result.megabytes_per_second.short) MB/s of pixels 
                    """
                        + """
                        (\(result.append_seconds.short) s to the journal, \(result.pack_seconds.short) s to the \
                        set), \(result.peak_mib) MiB
                        """
                ])
        }
        var report = BenchmarkReport(
            preset: preset, channels: channels, batch: batch, size: size, repeats: repeats, recompute: recompute,
            withOperations: ops
        ) { if !console.isQuiet { Console.put("\($0) ...\n", on: .standardError) } }
        report.peak_mib = MemoryFigures.peak >> 20
        try console.finish(report, lines(report))
    }

    private func lines(_ r: BenchmarkReport) -> [String] {
        func row(_ cells: [String]) -> String {
            cells.enumerated().map { index, cell in
                let padding = String(repeating: " ", count: max(0, (index == 0 ? 34 : 11) - cell.count))
                return index == 0 ? cell + padding : padding + cell
            }.joined()
        }
        func number(_ value: Double, _ digits: Int = 1) -> String { String(format: "%.\(digits)f", value) }
        func line(_ name: String, _ milliseconds: Double, _ rate: Double, _ bandwidth: Double? = nil) -> String {
            row([
                name, number(milliseconds, 2), number(rate), number(rate / r.sgemm_gflops, 2),
                bandwidth.map { number($0) } ?? "",
            ])
        }
        let header = row(["", "ms", "GFLOP/s", "of peak", "GB/s"])
        var lines = [
            """
            \(r.threads) threads, kernels \(r.instruction_set), OpenBLAS \(r.blas_core), sgemm peak \
            \(number(r.sgemm_gflops)) GFLOP/s
            """,
            "", header,
            line("\(r.preset), batch \(r.batch): forward", r.forward_ms, r.forward_gflops),
            line("\(r.preset), batch \(r.batch): training step", r.step_ms, r.step_gflops),
            "peak memory \(r.peak_mib) MiB", "", header,
        ]
        if let operations = r.operations {
            for operation in operations {
                let name = "\(operation.name), \(operation.shape.dropFirst().map(String.init).joined(separator: "x"))"
                lines.append(
                    line(
                        name, operation.forward.milliseconds, operation.forward.gflops,
                        operation.forward.gigabytesPerSecond))
                lines.append(
                    line(
                        "  backward", operation.backward.milliseconds, operation.backward.gflops,
                        operation.backward.gigabytesPerSecond))
            }
        } else {
            for c in r.conv3x3 {
                lines.append(
                    row([
                        "3x3 \(c.in) -> \(c.out), \(c.height)x\(c.width)", "", number(c.forward_gflops),
                        number(c.forward_gflops / r.sgemm_gflops, 2),
                    ]))
                lines.append(
                    row(["  backward", "", number(c.backward_gflops), number(c.backward_gflops / r.sgemm_gflops, 2)]))
            }
        }
        return lines
    }

    /// One batch through one snapshot's network.
    private func probe(_ model: String, _ folder: String) throws {
        let batch = try Safetensors(contentsOf: folder + "/batch.safetensors")
        let probe = try ModelProbe(
            try LoadedModel(contentsOf: model), batch: batch, file: folder + "/batch.safetensors")
        try probe.results().encoded(as: .f32).write(to: URL(fileURLWithPath: folder + "/results.safetensors"))
    }

    /// Weights, batch and results by files; timings line by line.
    private func driven(_ folder: String) throws {
        let weights = try Safetensors(contentsOf: folder + "/weights.safetensors")
        let batch = try Safetensors(contentsOf: folder + "/batch.safetensors")
        let network = try NetworkBenchmark(
            preset.configuration(channels: channels), weights: weights, batch: batch, file: folder)
        network.recompute = recompute
        let clock = ContinuousClock()
        while let line = readLine() {
            let duration: Duration
            switch line {
            case "results":
                duration = try clock.measure {
                    try network.results().encoded(as: .f32).write(
                        to: URL(fileURLWithPath: folder + "/results.safetensors"))
                }
            case "forward": duration = clock.measure { network.forward() }
            case "step": duration = clock.measure { network.step() }
            default:
                throw Failure(
                    .usage, "standard input", field: "line", expected: "results, forward or step", found: line)
            }
            Console.put(
                "{\"ms\":\(duration / .milliseconds(1)),\"peak_mib\":\(MemoryFigures.peak >> 20)}\n",
                on: .standardOutput)
        }
    }
}
