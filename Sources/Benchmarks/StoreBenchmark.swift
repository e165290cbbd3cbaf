import Files
import Foundation
import SampleStore

/// How fast sample sets are written.
public struct StoreBenchmark: Codable, Sendable {
    public let samples: Int
    /// Height and width in pixels.
    public let size: Int
    public let batch: Int
    public let threads: Int
    /// zlib's compression level; 0 for no compression.
    public let deflate: Int
    /// The time until the last batch is in the journal on the disk.
    public let append_seconds: Double
    /// The time from there until the set is complete under its name.
    public let pack_seconds: Double
    /// Megabytes of pixels divided by the sum of both times.
    public let megabytes_per_second: Double
    /// The process's peak memory (VmHWM) at the end.
    public let peak_mib: Int

    /// Writes a set of smooth pictures with some noise, which are similar to photographs of the fundus.
    /// - Parameter path: the path of the set; an existing file is replaced.
    /// - Throws: `Failure` of `SampleSetWriter`.
    public init(path: String, samples: Int, size: Int, batch: Int, deflate: Int, threads: Int) async throws {
        self.samples = samples
        self.size = size
        self.batch = batch
        self.deflate = deflate
        self.threads = threads
        let pictures = (0..<16).map { StoreBenchmark.picture($0, size: size) }
        let digest = Digest(of: Array("benchmark".utf8)), clock = ContinuousClock()
        let lineage = Lineage(
            model: digest.description, imagesSeen: nil, parents: [], sites: [], parcels: [], trainingSets: [])
        let writer = try SampleSetWriter(
            path: path, width: size, height: size,
            run: RunRecord(
                modelDigest: digest, sampler: "none", schedule: "{}", steps: 0, guidance: 1, openBLASVersion: "",
                blasCore: "", kernelISA: "",
                started: Date()),
            model: ModelRecord(
                digest: digest, manifestJSON: "{}", lineageJSON: try lineage.json(), provJSON: try lineage.prov()),
            terms: Terms(licence: "none", attribution: "", permittedUses: "benchmark", contact: "none"),
            options: SampleSetWriter.Options(force: true, deflate: deflate, threads: threads))
        let start = clock.now
        for first in stride(from: 0, to: samples, by: batch) {
            let rows = first..<min(samples, first + batch)
            try await writer.append(
                rows.map { SampleRecord(pixels: pictures[$0 % pictures.count], seed: 1, index: UInt64($0)) })
        }
        let appended = clock.now
        try await writer.finish()
        append_seconds = (appended - start) / .seconds(1)
        pack_seconds = (clock.now - appended) / .seconds(1)
        megabytes_per_second = Double(samples * size * size * 3) / 1e6 / (append_seconds + pack_seconds)
        peak_mib = MemoryFigures.peak >> 20
    }

    /// A picture, [size, size, 3]: a disc with a brighter place, and noise of a few grey levels.
    private static func picture(_ number: Int, size: Int) -> [UInt8] {
        var state = UInt32(truncatingIfNeeded: number &* 7919 &+ 1)
        let half = Double(size) / 2, disc = half * (0.6 + 0.05 * Double(number))
        return (0..<size * size).flatMap { pixel -> [UInt8] in
            let (x, y) = (Double(pixel % size), Double(pixel / size))
            let radius = hypot(x - half, y - half) / half
            guard radius < 1 else { return [0, 0, 0] }
            let light = 1 - 0.4 * radius * radius + 0.5 * exp(-hypot(x - disc, y - half) / (0.1 * half))
            return [150.0, 70, 30].map { base in
                state = state &* 1_664_525 &+ 1_013_904_223
                return UInt8(min(255, max(0, base * light + Double(state >> 29))))
            }
        }
    }
}
