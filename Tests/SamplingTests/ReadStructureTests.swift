import Anatomy
import Diffusion
import Files
import Models
import SampleStore
import Sampling
import Support
import Testing

/// Maps that are read from the pixels of samples.
@Suite(.serialized) struct ReadStructureTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func draw(_ model: LoadedModel, _ name: String, reads: Bool = true) async throws -> SampleSetFile {
        var settings = SamplerSettings(for: model.manifest.model)
        (settings.steps, settings.batchSize, settings.readsStructure) = (2, 2, reads)
        _ = try await SamplingRun(
            model, settings, plan: SamplingPlan(count: 3, cohorts: [try CohortRequest("dr_icdr=2")]), seed: 7,
            firstIndex: 0, path: folder.file(name), options: .init()
        ).run(contact: "")
        return try await SampleSetFile.open(folder.file(name))
    }

    @Test func `maps come with the samples and with their counterfactuals, and replay`() async throws {
        let model = try LoadedModel.drawn(.ofTwoNetworks(size: 128), in: folder)
        let file = try await draw(model, "s.h5"), plain = try await draw(model, "plain.h5", reads: false)
        #expect(file.structures == EyeStructure.allCases.map(\.rawValue).sorted() && plain.structures.isEmpty)
        #expect(file.digests == plain.digests)
        #expect(file.runs[0].schedule.contains("\"structure\":\"read\"") && !plain.runs[0].schedule.contains("read"))
        let pixels = try await file.images(rows: [2])
        let vessels = EyeStructure.maps([.vessels], of: pixels, side: 128)[0]
        #expect(try await file.map("vessels", rows: [2]) == vessels && vessels.contains { $0 > 0 })
        #expect(try await Replay(file, model: model).run(rows: [0, 1, 2], batchSize: 3).equal == 3)
        let run = try CounterfactualRun(
            of: file, model, rows: [1], changes: [try CohortRequest("dr_icdr=3")], level: 1, scale: 2,
            keepsVessels: true, batch: 1, path: folder.file("p.h5"), options: .init())
        #expect(try await run.run(purpose: nil, allowsUnseen: false) { _ in } == 2)
        let pairs = try await SampleSetFile.open(folder.file("p.h5"))
        #expect(pairs.structures == (file.structures + ["difference"]).sorted())
        #expect(try await pairs.map("vessels", rows: [0]) == file.map("vessels", rows: [1]))
        #expect(try await Replay(pairs, model: model).run(rows: [0, 1]).equal == 2)
    }

    @Test func `pictures in which no vessel can be found are refused`() async throws {
        let model = try LoadedModel.drawn(.ofTwoNetworks(size: 64), in: folder)
        await expectLaterFailure(.usage, "square pictures of 128 pixels and more") {
            _ = try await draw(model, "s.h5")
        }
    }
}
