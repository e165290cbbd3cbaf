import Cohorts
import Files
import Foundation
import SampleStore

/// Sample sets with pictures and provenance that tests made.
package enum MadeSamples {
    /// Writes pictures of one size, some of which show another one in another cohort, with the difference to it.
    /// - Parameter rows: `original` is the row of the picture that one shows in another cohort.
    package static func write(
        _ path: String, side: Int, _ rows: [(pixels: [UInt8], grade: String?, original: Int?)]
    ) async throws -> SampleSetFile {
        let digest = Digest(of: [1])
        let model = ModelRecord(
            digest: digest, manifestJSON: #"{"parents": [], "trainingData": []}"#,
            lineageJSON: try Lineage(
                model: digest.description, imagesSeen: nil, parents: [], sites: [], parcels: [], trainingSets: []
            ).json(), provJSON: "{}")
        let run = RunRecord(
            modelDigest: digest, sampler: "heun",
            schedule: #"{"kind":"karras","sigma_min":0.002,"sigma_max":80,"rho":7,"steps":18}"#, steps: 18, guidance: 1,
            openBLASVersion: "0", blasCore: "none", kernelISA: "none", started: Date(timeIntervalSince1970: 0))
        let writer = try SampleSetWriter(
            path: path, width: side, height: side, run: run, model: model,
            terms: Terms(licence: "CC", attribution: "", permittedUses: "any", contact: "nobody"),
            structures: [SampleSet.difference])
        for (row, sample) in rows.enumerated() {
            let own = sample.pixels, first = sample.original.map { rows[$0].pixels } ?? own
            // The first colour stands for all, as phantoms and discs change alike in them.
            var difference: [UInt8] = []
            for place in stride(from: 0, to: own.count, by: 3) {
                difference.append(own[place] > first[place] ? own[place] - first[place] : first[place] - own[place])
            }
            try await writer.append([
                SampleRecord(
                    pixels: own, cohort: Cohort(sample.grade.map { ["dr_icdr": $0] } ?? [:]),
                    requests: sample.grade.flatMap(Float.init).map { ["dr_icdr": $0] } ?? [:], seed: UInt64(row),
                    index: 0,
                    maps: [difference], original: sample.original)
            ])
        }
        try await writer.finish()
        return try await SampleSetFile.open(path)
    }
}
