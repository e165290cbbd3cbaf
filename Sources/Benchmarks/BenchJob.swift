import Files
import Foundation
import Fovea
import Networks

/// Times operations and whole steps, or the writer of sample sets, or the search for nearest neighbours.
public struct BenchJob: Job {
    /// What is timed.
    public enum Subject: Sendable {
        /// Forward passes, training steps and 3x3 convolutions of a network; with `allOperations`, all operations.
        case network(repeats: Int, recompute: Bool, allOperations: Bool)
        /// The training step of the classifier of an evaluation.
        case classifier(repeats: Int)
        /// The writer of a sample set at `path`, with zlib's compression level `deflate`.
        case store(path: String, samples: Int, deflate: Int)
        /// Exact nearest neighbours of random vectors with `width` numbers, or of the vectors in `folder`.
        case neighbors(probes: Int, gallery: Int, width: Int, nearest: Int, folder: String?)
    }

    public var subject: Subject
    public var preset = Preset.base
    /// The pictures in a batch, their height and width, and the channels of the network's input.
    public var batch = 8, size = 64, channels = 3
    public var threads = Machine.availableCores

    public init(_ subject: Subject) { self.subject = subject }

    /// The measurements, as JSON and as lines for people.
    public struct Outcome: JobOutcome {
        fileprivate let figures: any Encodable & Sendable
        public let lines: [String]

        public func encode(to encoder: any Encoder) throws { try figures.encode(to: encoder) }
    }

    /// Checks the settings.
    /// - Throws: `Failure(.usage)` for a number that is out of range, or a size that the preset cannot use.
    public func validate() throws {
        func require(_ option: String, _ value: Int, _ range: ClosedRange<Int>) throws {
            guard range.contains(value) else {
                throw Failure(
                    .usage, option: option, expected: "\(range.lowerBound) to \(range.upperBound)", found: "\(value)")
            }
        }
        try require("batch", batch, 1...1024)
        try require("channels", channels, 1...4096)
        try require("size", size, 8...1024)
        let multiple = preset.configuration(channels: channels).sideMultiple
        guard size % multiple == 0 else {
            throw Failure(.usage, option: "size", expected: "a multiple of \(multiple)", found: "\(size)")
        }
        switch subject {
        case .network(let repeats, _, _), .classifier(let repeats): try require("repeats", repeats, 1...1000)
        case .store(_, let samples, let deflate):
            try require("samples", samples, 1...10_000_000)
            try require("deflate", deflate, 0...9)
        case .neighbors(let probes, let gallery, let width, let nearest, _):
            try require("probes", probes, 1...10_000_000)
            try require("gallery", gallery, 1...10_000_000)
            try require("width", width, 1...100_000)
            try require("nearest", nearest, 1...1000)
        }
    }

    /// Measures the subject.
    /// - Throws: `Failure` of the files that the subject reads or writes.
    public func perform(_ report: JobReporter) async throws -> Outcome {
        switch subject {
        case .network(let repeats, let recompute, let allOperations):
            var result = BenchmarkReport(
                preset: preset, channels: channels, batch: batch, size: size, repeats: repeats, recompute: recompute,
                withOperations: allOperations
            ) { report.note("\($0) ...") }
            result.peak_mib = Machine.peakMebibytes
            return Outcome(figures: result, lines: BenchJob.lines(result))
        case .classifier(let repeats):
            let result = ClassifierBenchmark(batch: batch, side: size, repeats: repeats)
            return Outcome(
                figures: result,
                lines: [
                    """
                    classifier, batch \(batch), \(size) x \(size): \(BenchJob.number(result.classifier.median, 2)) ms \
                    a training step
                    """
                ])
        case .store(let path, let samples, let deflate):
            let result = try await StoreBenchmark(
                path: path, samples: samples, size: size, batch: batch, deflate: deflate, threads: threads)
            let line =
                """
                \(samples) pictures of \(size) x \(size), deflate \(deflate): \
                \(BenchJob.number(result.megabytes_per_second)) MB/s of pixels \
                (\(BenchJob.number(result.append_seconds, 2)) s to the journal, \
                \(BenchJob.number(result.pack_seconds, 2)) s to the set), \(result.peak_mib) MiB
                """
            return Outcome(figures: result, lines: [line])
        case .neighbors(let probes, let gallery, let width, let nearest, let folder):
            let result =
                try folder.map { try NeighborBenchmark(folder: $0, width: width, k: nearest) }
                ?? NeighborBenchmark(probes: probes, gallery: gallery, width: width, k: nearest)
            let figures = result.neighbors
            let line =
                """
                \(figures.k) nearest of \(figures.gallery) to each of \(figures.probes), \(figures.width) numbers \
                each: \(BenchJob.number(figures.seconds, 2)) s, \(figures.peak_mib) MiB
                """
            return Outcome(figures: result, lines: [line])
        }
    }

    private static func number(_ value: Double, _ digits: Int = 1) -> String { String(format: "%.\(digits)f", value) }

    private static func lines(_ r: BenchmarkReport) -> [String] {
        func row(_ cells: [String]) -> String {
            cells.enumerated().map { index, cell in
                let padding = String(repeating: " ", count: max(0, (index == 0 ? 34 : 11) - cell.count))
                return index == 0 ? cell + padding : padding + cell
            }.joined()
        }
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
}
