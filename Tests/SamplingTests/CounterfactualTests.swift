import Diffusion
import Files
import Foundation
import Models
import Phantoms
import SampleStore
import Sampling
import Support
import TensorCore
import Testing

/// Samples in other cohorts, with the noise of their originals.
@Suite(.serialized) struct CounterfactualTests {
    let folder: TemporaryFolder
    let model: LoadedModel

    init() throws {
        folder = try TemporaryFolder()
        model = try .drawn(.ofTwoNetworks(), in: folder)
    }

    private func source(_ name: String = "s.h5", cohort: String = "dr_icdr=2") async throws -> SampleSetFile {
        var settings = SamplerSettings(for: model.manifest.model)
        settings.steps = 3
        _ = try await SamplingRun(
            model, settings, plan: SamplingPlan(count: 3, cohorts: [try CohortRequest(cohort)]), seed: 7,
            firstIndex: 0, path: folder.file(name), options: .init()
        ).run(contact: "somebody")
        return try await SampleSetFile.open(folder.file(name))
    }

    private func run(
        _ source: SampleSetFile, _ name: String, rows: [Int] = [0, 1, 2],
        changes: [String] = ["dr_icdr=2.5", "dr_icdr=3"],
        level: Float = 100, scale: Float = 2, keepsVessels: Bool = true, batch: Int = 2, resume: Bool = false,
        cancellingAt limit: Int = .max, allowsUnseen: Bool = false
    ) async throws -> SampleSetFile? {
        let run = try CounterfactualRun(
            of: source, model, rows: rows, changes: try changes.map { try CohortRequest($0) }, level: level,
            scale: scale, keepsVessels: keepsVessels, batch: batch, path: folder.file(name),
            options: .init(resume: resume))
        let done = try await Task {
            try await run.run(purpose: nil, allowsUnseen: allowsUnseen) { done in
                if done >= limit { withUnsafeCurrentTask { $0?.cancel() } }
            }
        }.value
        return done == run.count ? try await SampleSetFile.open(folder.file(name)) : nil
    }

    @Test func `each original is followed by its counterfactuals, and all of them replay`() async throws {
        let source = try await source(), file = try #require(try await run(source, "p.h5", rows: [2, 0]))
        #expect((0..<6).map { file.original(row: $0) } == [nil, 0, 0, nil, 3, 3])
        #expect((0..<6).map { file.cohort(row: $0)["dr_icdr"] } == ["2", nil, "3", "2", nil, "3"])
        #expect(file.requests["dr_icdr"] == [2, 2.5, 3, 2, 2.5, 3])
        #expect(file.indices == [2, 2, 2, 0, 0, 0])
        #expect([file.digests[0], file.digests[3]] == [source.digests[2], source.digests[0]])
        #expect(Set(file.digests).count == 6)
        #expect(file.terms == source.terms && file.structures == ["difference"])
        let findings = await SampleSetVerification.findingsInContent(file.path, samplers: ["dpmpp-sde"])
        #expect(findings.isEmpty)
        let outcome = try await Replay(file, model: model).run(rows: Array(0..<6), batchSize: 3)
        #expect(outcome.equal == 6 && outcome.mode == .bitwise)
        // One of them alone, too.
        #expect(try await Replay(file, model: model).run(rows: [4]).equal == 1)
    }

    @Test func `the difference is that of the pixels`() async throws {
        let file = try #require(try await run(try await source(), "p.h5", rows: [1], changes: ["dr_icdr=3"]))
        let pixels = try await file.images(rows: [0, 1]), size = pixels.count / 2
        let maps = try await file.map("difference", rows: [0, 1])
        #expect(maps.prefix(size / 3).allSatisfy { $0 == 0 })
        for place in 0..<size / 3 {
            let mean = (0..<3).reduce(0.0) {
                $0 + abs(Double(pixels[3 * place + $1]) - Double(pixels[size + 3 * place + $1])) / 3
            }
            #expect(abs(Double(maps[size / 3 + place]) - mean) < 0.51)
        }
        #expect(maps.contains { $0 > 0 })
    }

    /// Where the changed cohort holds from the first level on, with its own strength and nothing kept, it is the sample
    /// of that cohort.
    @Test func `a change at every level is a sample of the other cohort`() async throws {
        let originals = try await source(), changed = try await source("c.h5", cohort: "dr_icdr=3")
        let file = try #require(
            try await run(
                originals, "p.h5", changes: ["dr_icdr=3"], level: 10_000, scale: 1, keepsVessels: false))
        for row in 0..<3 {
            let pixels = try await (file.images(rows: [2 * row + 1]), changed.images(rows: [row]))
            let most = zip(pixels.0, pixels.1).map { abs(Int($0) - Int($1)) }.max()
            #expect(try #require(most) <= 1)
        }
        // Its vessels, as far as a filter finds any, are kept where that is wanted.
        let kept = try #require(
            try await run(originals, "kept.h5", changes: ["dr_icdr=3"], level: 10_000, scale: 1))
        #expect(kept.digests[1] != file.digests[1])
        // And below every level it is the original.
        let same = try #require(try await run(originals, "same.h5", changes: ["dr_icdr=3"], level: 1e-6))
        #expect(same.digests[1] == same.digests[0])
    }

    @Test func `stopped and resumed it is the same set, in any batches`() async throws {
        let source = try await source(), whole = try #require(try await run(source, "whole.h5", batch: 3))
        #expect(try await run(source, "halves.h5", batch: 1, cancellingAt: 3) == nil)
        let halves = try #require(try await run(source, "halves.h5", batch: 2, resume: true))
        #expect(try await SampleSetFile.contentDigest(halves.path) == SampleSetFile.contentDigest(whole.path))
        #expect(try await run(source, "other.h5", batch: 1, cancellingAt: 3) == nil)
        await expectLaterFailure(.usage, "has another seed, number or cohort") {
            _ = try await run(source, "other.h5", changes: ["dr_icdr=3", "dr_icdr=2.5"], resume: true)
        }
        await expectLaterFailure(.usage, "schedule") {
            _ = try await run(source, "other.h5", scale: 3, resume: true)
        }
        // A set that is complete is known again, and another one is not taken for it.
        func wanted(_ rows: [Int], scale: Float = 2) throws -> CounterfactualRun {
            try CounterfactualRun(
                of: source, model, rows: rows,
                changes: [try CohortRequest("dr_icdr=2.5"), try CohortRequest("dr_icdr=3")],
                level: 100, scale: scale, keepsVessels: true, batch: 2, path: whole.path, options: .init())
        }
        try wanted([0, 1, 2]).require(whole)
        for other in [try wanted([0, 2, 1]), try wanted([0, 1]), try wanted([0, 1, 2], scale: 3)] {
            expectFailure(.usage, "was drawn of other rows, changes or settings") { try other.require(whole) }
        }
    }

    @Test func `what cannot be changed is refused`() async throws {
        let source = try await source(), pairs = try #require(try await run(source, "p.h5"))
        await expectLaterFailure(.usage, "expected no counterfactual, found row 1") {
            _ = try await run(pairs, "q.h5", rows: [0, 1])
        }
        await expectLaterFailure(.usage, "dr_icdr=3 twice") {
            _ = try await run(source, "q.h5", changes: ["dr_icdr=2..3", "dr_icdr=3"])
        }
        await expectLaterFailure(.usage, "is not conditioned on sex") {
            _ = try await run(source, "q.h5", changes: ["sex=female"], allowsUnseen: true)
        }
        await expectLaterFailure(.usage, "fewer than 5 patients") {
            _ = try await run(source, "q.h5", changes: ["dr_icdr=0"])
        }
        #expect(try await run(source, "small.h5", changes: ["dr_icdr=0"], allowsUnseen: true)?.count == 6)
        let other = try LoadedModel.drawn(.ofTwoNetworks(hasGuiding: false), in: try TemporaryFolder())
        expectFailure(.badData, "model of row 0") {
            _ = try CounterfactualRun(
                of: source, other, rows: [0], changes: [try CohortRequest("dr_icdr=3")], level: 1, scale: 1,
                keepsVessels: true, batch: 1, path: folder.file("q.h5"), options: .init())
        }
        for name in ["q.h5", "q.h5.unfinished"] {
            #expect(!FileManager.default.fileExists(atPath: folder.file(name)))
        }
    }

    @Test func `an original that is not what it says is not changed`() async throws {
        let source = try await source()
        let writer = try SampleSetWriter(
            path: folder.file("lies.h5"), width: source.width, height: source.height, run: source.runs[0],
            model: source.models[0], terms: source.terms, siteNames: source.siteNames)
        var pixels = try await source.images(rows: [0])
        pixels[500] ^= 1
        try await writer.append([
            SampleRecord(
                pixels: pixels, cohort: source.cohort(row: 0), requests: ["dr_icdr": 2], seed: source.seeds[0],
                index: source.indices[0], siteWeights: source.siteWeights.isEmpty ? [] : [source.siteWeights[0]])
        ])
        try await writer.finish()
        let lies = try await SampleSetFile.open(folder.file("lies.h5"))
        await expectLaterFailure(.checkFailed, "row 0 is not what its provenance says") {
            _ = try await run(lies, "q.h5", rows: [0])
        }
    }

    /// Vessels are kept and the ground between them is not.
    @Test func `what is kept lies on the vessels`() throws {
        let phantom = try PhantomGenerator(patients: 2, size: 256, seed: 5).phantoms(0..<1, threads: 1)[0]
        let kept = KeptVessels.shares(phantom.pixels, shape: [1, 256, 256]).elements
        let vessels = phantom.masks.vessels
        let (on, off) = (
            kept.indices.filter { vessels[$0] > 0 }.map { kept[$0] },
            kept.indices.filter { vessels[$0] == 0 }.map { kept[$0] }
        )
        func mean(_ values: [Float]) -> Float { values.reduce(0, +) / Float(values.count) }
        #expect(kept.allSatisfy { (0...1).contains($0) })
        #expect(mean(on) > 0.5 && mean(off) < 0.15, "\(mean(on)) and \(mean(off))")
    }
}
