import Files
import Foundation
import Randomness
import TensorCore

/// How fast the nearest neighbours of many vectors are found.
public struct NeighborBenchmark: Codable, Sendable {
    /// The measurements.
    public struct Figures: Codable, Sendable {
        public let probes: Int
        public let gallery: Int
        /// The numbers in a vector.
        public let width: Int
        public let k: Int
        public let threads: Int
        /// The time from vectors in memory to neighbours, including the squared lengths of both sides.
        public let seconds: Double
        /// The process's peak memory (VmHWM) at the end.
        public let peak_mib: Int
    }

    public let neighbors: Figures

    /// Random normal vectors; the same counts give the same vectors.
    public init(probes: Int, gallery: Int, width: Int, k: Int) {
        func vectors(_ count: Int, _ index: UInt64) -> [Float] {
            [Float](unsafeUninitializedCapacity: count * width) { buffer, written in
                nonisolated(unsafe) let target = buffer
                parallelFor(count) { row in
                    var random = Philox(seed: 0, stream: .tests, index: index << 32 | UInt64(row))
                    random.fillNormal(UnsafeMutableBufferPointer(rebasing: target[row * width..<(row + 1) * width]))
                }
                written = count * width
            }
        }
        (self, _) = NeighborBenchmark.timed(vectors(probes, 0), vectors(gallery, 1), width: width, k: k)
    }

    /// Vectors from a folder: `probes.f32` and `gallery.f32`, little-endian and row by row. Writes `indices.i32` with k
    /// indices for each probe.
    /// - Throws: `Failure`: `.noSuchInput` where a file is missing; `.badData` where its length does not fit; errors of
    ///   writing.
    public init(folder: String, width: Int, k: Int) throws {
        func vectors(_ name: String) throws -> [Float] {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else {
                throw Failure(.noSuchInput, "\(folder)/\(name)", "does not exist")
            }
            guard data.count > 0, data.count % (4 * width) == 0 else {
                throw Failure(
                    .badData, "\(folder)/\(name)", field: "bytes", expected: "a multiple of \(4 * width)",
                    found: "\(data.count)")
            }
            return data.withUnsafeBytes { bytes in
                [Float](unsafeUninitializedCapacity: data.count / 4) { buffer, written in
                    UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
                    written = data.count / 4
                }
            }
        }
        let found: Neighbors
        (self, found) = NeighborBenchmark.timed(
            try vectors("probes.f32"), try vectors("gallery.f32"), width: width, k: k)
        let indices = found.indices.map { Int32($0) }
        try indices.withUnsafeBytes { Data($0) }.write(to: URL(fileURLWithPath: folder + "/indices.i32"))
    }

    private init(_ figures: Figures) { neighbors = figures }

    private static func timed(_ probes: [Float], _ gallery: [Float], width: Int, k: Int) -> (
        NeighborBenchmark, Neighbors
    ) {
        let clock = ContinuousClock(), start = clock.now
        let own = NeighborVectors(probes, count: probes.count / width, width: width)
        let others = NeighborVectors(gallery, count: gallery.count / width, width: width)
        let found = nearestNeighbors(of: own, in: others, k: k)
        let seconds = (clock.now - start) / .seconds(1)
        let figures = Figures(
            probes: own.count, gallery: others.count, width: width, k: found.k, threads: ComputeEnvironment.threads,
            seconds: seconds, peak_mib: MemoryFigures.peak >> 20)
        return (NeighborBenchmark(figures), found)
    }
}
