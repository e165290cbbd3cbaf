import Cohorts
import Files
import Foundation
import HDF5Files
import SampleStore

enum SampleFixtures {
    static let width = 10
    static let height = 8
    static let modelDigest = Digest(of: Array("model".utf8))

    static func pixels(_ row: Int) -> [UInt8] {
        (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 &* 5 &+ row &* 17) }
    }

    static func samples() -> [SampleRecord] {
        [
            SampleRecord(
                pixels: pixels(0), cohort: Cohort(["dr_icdr": "3", "sex": "female", "camera": "Topcon"]), seed: .max,
                index: 0,
                siteWeights: [0.7, 0.3]),
            SampleRecord(
                pixels: pixels(1), cohort: Cohort(["sex": "unknown", "camera": "Aurora"]), requests: ["dr_icdr": 2.5],
                seed: 7, index: 1, siteWeights: [0.7, 0.3]),
            SampleRecord(
                pixels: pixels(2), requests: ["dr_icdr": 2, "age_band": 0.5], seed: 7, index: 1 << 40,
                siteWeights: [0, 1]),
        ]
    }

    static func run(_ started: TimeInterval = 1_800_000_000) -> RunRecord {
        RunRecord(
            modelDigest: modelDigest, sampler: "heun",
            schedule: #"{"kind":"karras","sigma_min":0.002,"sigma_max":20,"rho":7,"steps":18}"#, steps: 18,
            guidance: 1.5,
            toolVersion: "0.1.0", openBLASVersion: "0.3.21", blasCore: "Zen", kernelISA: "v4",
            started: Date(timeIntervalSince1970: started))
    }

    private static let lineage = Lineage(
        model: "\(modelDigest)", imagesSeen: 640, parents: [], sites: ["aachen", "bonn"], parcels: [], trainingSets: [])
    static let model = {
        do {
            return ModelRecord(
                digest: modelDigest, manifestJSON: #"{"kind":"snapshot","parents":[],"trainingData":[]}"#,
                lineageJSON: try lineage.json(),
                provJSON: try lineage.prov())
        } catch {
            fatalError("\(error)")
        }
    }()
    static let terms = Terms(
        licence: "CC-BY-4.0", attribution: "Aachen, Bonn, Özel", permittedUses: "research (DUO:0000042)",
        contact: "data@example.org")

    static func write(
        _ path: String, batches: [Range<Int>] = [0..<3], started: TimeInterval = 1_800_000_000, seed: UInt64? = nil
    ) async throws {
        let writer = try writer(path, started: started)
        var samples = samples()
        if let seed { samples[1].seed = seed }
        for batch in batches {
            try await writer.append(Array(samples[batch]), finished: Date(timeIntervalSince1970: started + 60))
        }
        try await writer.finish()
    }

    static func writer(
        _ path: String, started: TimeInterval = 1_800_000_000, run: RunRecord? = nil,
        options: SampleSetWriter.Options = .init()
    ) throws -> SampleSetWriter {
        try SampleSetWriter(
            path: path, width: width, height: height, run: run ?? SampleFixtures.run(started), model: model,
            terms: terms,
            siteNames: ["aachen", "bonn"], openNames: ["camera": ["Topcon", "Canon"]],
            created: Date(timeIntervalSince1970: started), options: options)
    }
}
