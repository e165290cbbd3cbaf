import CheckpointStore
import Diffusion
import Files
import Foundation
import Models
import Networks
import Randomness
import SampleStore
import Sampling
import Support
import TensorCore
import Testing
import Training

/// Samples of a model that draws structure maps with its pictures.
@Suite(.serialized) struct StructureSamplingTests {
    let folder: TemporaryFolder
    let model: LoadedModel

    init() throws {
        folder = try TemporaryFolder()
        var settings = TrainingConfiguration()
        settings.size = 32
        settings.use(.dct(side: 8, colours: .identity), .tiny, size: 32)
        (settings.middle.space, settings.fine.space) = (
            .dct(side: 4, colours: .identity), .dct(side: 2, colours: .identity)
        )
        settings.useMaps([.vessels])
        settings.preconditioning.channelDeviations = [Float](repeating: 0.1, count: 256)
        settings.middle.preconditioning.channelDeviations = [Float](repeating: 0.1, count: 64)
        settings.fine.preconditioning.channelDeviations = [Float](repeating: 0.1, count: 16)
        settings.guiding.preconditioning.channelDeviations = [Float](repeating: 0.1, count: 256)
        let description = settings.description(CohortEncoding(attributes: ["dr_icdr"]))
        #expect(description.problem == nil)
        model = try LoadedModel.drawn(description, in: folder)
    }

    private func draw(_ name: String, _ options: SampleSetWriter.Options = .init(), batch: Int = 3) async throws
        -> SampleSetFile
    {
        var settings = SamplerSettings(for: model.manifest.model)
        (settings.steps, settings.batchSize) = (4, batch)
        _ = try await SamplingRun(
            model, settings, plan: SamplingPlan(count: 5, cohorts: [try CohortRequest("dr_icdr=3"), .open]), seed: 7,
            firstIndex: 0,
            path: folder.file(name), options: options
        ).run(contact: "")
        return try await SampleSetFile.open(folder.file(name))
    }

    @Test func mapsComeWithTheSamplesAndAreMadeAgain() async throws {
        let file = try await draw("s.h5")
        #expect(file.structures == ["vessels"])
        let maps = try await file.map("vessels", rows: Array(0..<5)), pixels = try await file.images(rows: Array(0..<5))
        #expect(maps.count == 5 * 32 * 32 && Set(maps).count > 10)
        // Where the picture is black there is no vessel.
        for place in maps.indices where pixels[3 * place..<3 * place + 3].allSatisfy({ $0 == 0 }) {
            #expect(maps[place] == 0)
        }
        let outcome = try await Replay(file, model: model).run(rows: Array(0..<5), batchSize: 2)
        #expect(outcome.equal == 5 && outcome.failures.isEmpty && outcome.mode == .bitwise)
        let shards = try await draw("shards.h5", .init(shardRows: 2), batch: 4)
        #expect(try await SampleSetFile.contentDigest(shards.path) == SampleSetFile.contentDigest(file.path))
    }

    /// A map that was changed is found out by drawing it again, though its picture is right.
    @Test func aChangedMapIsFoundOut() async throws {
        let file = try await draw("s.h5")
        func copy(_ name: String, structures: [String], _ maps: (Int, [UInt8]) -> [[UInt8]]) async throws
            -> SampleSetFile
        {
            let writer = try SampleSetWriter(
                path: folder.file(name), width: 32, height: 32, run: file.runs[0], model: file.models[0],
                terms: file.terms,
                siteNames: file.siteNames, structures: structures)
            for row in 0..<file.count {
                let planned = file.planned(row: row)
                try await writer.append([
                    SampleRecord(
                        pixels: try await file.images(rows: [row]), cohort: planned.request.cohort,
                        requests: planned.request.positions,
                        seed: planned.seed, index: planned.index, siteWeights: [1],
                        maps: maps(row, try await file.map("vessels", rows: [row])))
                ])
            }
            try await writer.finish()
            return try await SampleSetFile.open(folder.file(name))
        }
        let changed = try await copy("changed.h5", structures: ["vessels"]) { row, map in
            var map = map
            if row == 3 { map[500] ^= 64 }
            return [map]
        }
        #expect(try await Replay(changed, model: model).run(rows: Array(0..<5)).failures == [3])
        // A set without the maps is as good as its pictures.
        let without = try await copy("without.h5", structures: []) { _, _ in [] }
        #expect(try await Replay(without, model: model).run(rows: Array(0..<5)).failures.isEmpty)
    }
}
