import Diffusion
import Files
import Foundation
import Models
import SampleStore
import Sampling
import TensorCore
import Testing

/// Samples that are made again from what a set says of them.
extension SamplingTests {
    private func draw(
        _ name: String, sampler: SamplerKind = .heun, change: (inout SamplerSettings) -> Void = { _ in }
    ) async throws -> SampleSetFile {
        var settings = SamplerSettings()
        settings.sampler = sampler
        settings.steps = 3
        settings.guidanceScale = 1.5
        settings.batchSize = 4
        change(&settings)
        let cohorts = [
            try CohortRequest("dr_icdr=3"), try CohortRequest("dr_icdr=2.5"), .open,
            try CohortRequest("dr_icdr=unknown"),
        ]
        _ = try await SamplingRun(
            model, settings, plan: SamplingPlan(count: 7, cohorts: cohorts), seed: 7, firstIndex: 1 << 40,
            path: folder.file(name),
            options: .init()
        ).run(contact: "")
        return try await SampleSetFile.open(folder.file(name))
    }

    /// A copy of `file` whose samples are changed, and its run.
    private func copy(
        _ file: SampleSetFile, _ name: String, run change: (inout RunRecord) -> Void = { _ in },
        sample: (inout SampleRecord, Int) -> Void
    ) async throws -> SampleSetFile {
        var run = file.runs[0]
        change(&run)
        let writer = try SampleSetWriter(
            path: folder.file(name), width: file.width, height: file.height, run: run, model: file.models[0],
            terms: file.terms,
            siteNames: file.siteNames)
        for row in 0..<file.count {
            let planned = file.planned(row: row)
            var record = SampleRecord(
                pixels: try await file.images(rows: [row]), cohort: planned.request.cohort,
                requests: planned.request.positions,
                seed: planned.seed, index: planned.index, siteWeights: [1])
            sample(&record, row)
            try await writer.append([record])
        }
        try await writer.finish()
        return try await SampleSetFile.open(folder.file(name))
    }

    @Test(arguments: SamplerKind.allCases)
    func everySampleCanBeMadeAgain(sampler: SamplerKind) async throws {
        let file = try await draw("s.h5", sampler: sampler) {
            $0.guidanceInterval = 0.1...5
            $0.guidedAttributes = ["dr_icdr"]
        }
        let replay = Replay(file, model: model)
        let outcome = try await replay.run(rows: replay.rows, batchSize: 1)
        #expect(outcome.checked == 7)
        #expect(outcome.equal == 7)
        #expect(outcome.failures == [])
        #expect(outcome.mode == .bitwise)
        #expect(outcome.lowestRatio == nil)
    }

    @Test func whatASampleSaysOfItselfIsFoundOut() async throws {
        let file = try await draw("s.h5")
        let lies = try await copy(file, "lies.h5") { sample, row in
            if row == 1 { sample.seed += 1 }
            if row == 2 { sample.requests = ["dr_icdr": 2] }
            if row == 5 { sample.pixels[100] ^= 1 }
        }
        let outcome = try await Replay(lies, model: model).run(rows: [5, 0, 1, 2])
        #expect(outcome.failures == [1, 2, 5])
        #expect(outcome.equal == 1)
        let guided = try await copy(file, "guidance.h5", run: { $0.guidance = 2 }) { _, _ in }
        #expect(try await Replay(guided, model: model).run(rows: [0, 2]).failures == [0])  // row 2 asks for nothing
    }

    @Test func anotherCoreMayRoundOtherwise() async throws {
        let file = try await draw("s.h5")
        let elsewhere = try await copy(file, "elsewhere.h5", run: { $0.blasCore = "Other" }) { sample, row in
            // Every tenth value by one is 58 dB; every tenth by 20 is 32 dB.
            let change: UInt8 = row == 1 ? 1 : row == 2 ? 20 : 0
            for place in stride(from: 0, to: sample.pixels.count, by: 10) {
                sample.pixels[place] = sample.pixels[place] &+ (sample.pixels[place] > 200 ? 0 &- change : change)
            }
        }
        let outcome = try await Replay(elsewhere, model: model).run(rows: [0, 1, 2])
        #expect(outcome.mode == .psnr)
        #expect(outcome.failures == [2])
        #expect(abs((outcome.lowestRatio ?? 0) - (48.13 - 26.02 + 10)) < 0.1)
    }

    /// The right pixels under a wrong digest are not what the row says either.
    @Test func aDigestThatWasChangedFails() async throws {
        let file = try await draw("s.h5")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file.path))
        bytes[try #require(bytes.firstRange(of: Data(file.digests[4].bytes))).lowerBound] ^= 1
        try bytes.write(to: URL(fileURLWithPath: folder.file("changed.h5")))
        let changed = try await SampleSetFile.open(folder.file("changed.h5"), verifying: false)
        #expect(try await Replay(changed, model: model).run(rows: [3, 4, 5]).failures == [4])
    }

    @Test func samplesOfAnotherModelAreRefused() async throws {
        let file = try await draw("s.h5")
        let other = try await copy(file, "other.h5") { _, _ in }
        var changed = model.manifest
        changed.imagesSeen = 1
        try ModelFile(manifest: changed, tensors: model.parameters.fileTensors()).write(
            folder.file("other.safetensors"), as: .f32, force: false)
        let replay = Replay(other, model: try LoadedModel(contentsOf: folder.file("other.safetensors")))
        #expect(replay.rows == [])
        let failure = await #expect(throws: Failure.self) { try await replay.run(rows: [0]) }
        #expect(failure?.kind == .badData)
        #expect(failure?.sentence.hasPrefix("model of row 0: expected \(model.digest), found ") == true)
    }
}
