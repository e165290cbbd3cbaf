import Cohorts
import Files
import Foundation
import HDF5Files
import Reporting
import SampleStore
import Support

enum ReportFixtures {
    static let script = "</script><img src=x onerror=alert(1)>"
    static let attribute = "\"><svg onload=alert(1)>"
    static let modelDigest = Digest(of: Array("model".utf8))

    static let lineage = Lineage(
        model: modelDigest.description, imagesSeen: 1200,
        parents: [Digest(of: [1]).description, Digest(of: [2]).description],
        sites: ["aachen", "bonn"],
        parcels: [
            Lineage.Parcel(
                name: "bonn", digest: Digest(of: [3]).description, weight: 0.25,
                trainingSets: [
                    .init(digest: Digest(of: [4]).description, site: "bonn", licence: "CC0-1.0", patients: 40)
                ])
        ],
        trainingSets: [
            .init(digest: Digest(of: [5]).description, site: "aachen", licence: "CC BY 4.0", synthetic: true)
        ])

    static let manifest = """
        {"kind":"fovea.snapshot","version":1,"model":{"width":64,"height":64,\
        "cohort":{"attributes":["dr_icdr","camera"],"openNames":{"camera":["Topcon"]}},"network":{}},\
        "cohortSchemaVersion":1,"imagesSeen":1200,"parents":["aa"],"licence":"CC BY 4.0","attributions":["Aachen | \
        Bonn"],"permittedUses":["research"],\
        "configuration":"seed: \
        1\\n","toolVersion":"0.1.0","trainingData":[{"digest":"bb","site":"aachen","licence":"CC BY \
        4.0","source":"eyes",\
        "cohortCounts":{"dr_icdr":{"0":10,"3":5},"sex":{"unknown":15}},"patients":15}]}
        """

    static func model(_ lineage: Lineage = lineage) throws -> ModelRecord {
        ModelRecord(
            digest: modelDigest, manifestJSON: manifest, lineageJSON: try lineage.json(), provJSON: #"{"entity":{}}"#)
    }

    static let terms = Terms(
        licence: "CC BY 4.0", attribution: "Aachen: one\nBonn: two", permittedUses: "research",
        contact: "data@example.org")

    /// Four samples of 8 x 6 pixels: a grade, a place between two grades, the unknown token, and nothing.
    static let samples = [
        sample(0, ["dr_icdr": "3", "sex": "female", "camera": "Topcon"]),
        sample(1, ["sex": "male", "camera": "Topcon"], requests: ["dr_icdr": 2.5]),
        sample(2, ["dr_icdr": "unknown"], requests: ["age_band": 0.5]),
        sample(3, [:]),
    ]

    static func sample(
        _ index: Int, _ cohort: [String: String], requests: [String: Float] = [:], width: Int = 8, height: Int = 6
    )
        -> SampleRecord
    {
        SampleRecord(
            pixels: noise(width * height * 3, seed: UInt64(index)), cohort: Cohort(cohort), requests: requests,
            seed: .max,
            index: UInt64(index), siteWeights: [0.75, 0.25])
    }

    /// Uniform noise, which compresses worst.
    static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        return (0..<count).map { _ in
            // SplitMix64.
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return UInt8(truncatingIfNeeded: value >> 31)
        }
    }

    static func file(
        _ folder: TemporaryFolder, samples: [SampleRecord] = samples, width: Int = 8, height: Int = 6,
        lineage: Lineage = lineage,
        terms: Terms = terms, siteNames: [String] = ["aachen", "bonn"], sampler: String = "heun"
    ) async throws -> SampleSetFile {
        let path = folder.file("samples.h5")
        let started = Date(timeIntervalSince1970: 1_800_000_000)
        let run = RunRecord(
            modelDigest: modelDigest, sampler: sampler,
            schedule: #"{"sigma_min":0.002,"sigma_max":20,"rho":7,"steps":18}"#, steps: 18,
            guidance: 1.5, openBLASVersion: "0.3.21", blasCore: "Zen", kernelISA: "v4", started: started)
        try await write(path, samples, width, height, run, try model(lineage), terms, siteNames)
        return try await SampleSetFile.open(path)
    }

    @HDF5Actor
    private static func write(
        _ path: String, _ samples: [SampleRecord], _ width: Int, _ height: Int, _ run: RunRecord, _ model: ModelRecord,
        _ terms: Terms, _ siteNames: [String]
    ) async throws {
        let writer = try SampleSetWriter(
            path: path, width: width, height: height, run: run, model: model, terms: terms, siteNames: siteNames,
            created: run.started)
        try await writer.append(samples, finished: run.started + 60)
        try await writer.finish()
    }
}
