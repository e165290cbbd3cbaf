import Diffusion
import Files
import Foundation
import Models
import Phantoms
import SampleStore
import Sampling
import Support
import Testing

/// Samples that are drawn again where not exactly one optic disc is found in them.
@Suite(.serialized) struct DiscCheckTests {
    let folder: TemporaryFolder
    /// Its pictures are noise, in which no disc is found.
    let model: LoadedModel

    init() throws {
        folder = try TemporaryFolder()
        model = try .drawn(.ofTwoNetworks(size: 64), in: folder)
    }

    @Test func noDiscAndTwoDiscsAreFound() throws {
        let phantom = try PhantomGenerator(patients: 4, size: 256, seed: 3).phantoms(0..<1, threads: 1)[0]
        let isLeft = phantom.transform.picture(phantom.eye.opticDisc.center).x < 128
        // The half with the disc and its mirror image make an eye with two.
        var mirrored = phantom.pixels
        for y in 0..<256 {
            for x in 0..<128 {
                let (left, right) = (3 * (256 * y + x), 3 * (256 * y + 255 - x))
                let (from, to) = isLeft ? (left, right) : (right, left)
                for k in 0..<3 { mirrored[to + k] = mirrored[from + k] }
            }
        }
        let pictures = phantom.pixels + mirrored + [UInt8](repeating: 0, count: 3 * 256 * 256)
        #expect(DiscCheck.failures(pictures, among: [0, 1, 2], side: 256) == [1, 2])
        #expect(DiscCheck.failures(pictures, among: [2, 0], side: 256) == [2])
    }

    private func run(
        _ name: String, count: Int = 5, wantsOneDisc: Bool = true, firstIndex: UInt64 = 0, resume: Bool = false,
        cancellingAt limit: Int = .max
    ) async throws -> Int {
        var settings = SamplerSettings(for: model.manifest.model)
        (settings.steps, settings.batchSize, settings.wantsOneDisc) = (2, 2, wantsOneDisc)
        let run = SamplingRun(
            model, settings, plan: SamplingPlan(count: count, cohorts: [try CohortRequest("dr_icdr=3")]), seed: 7,
            firstIndex: firstIndex, path: folder.file(name), options: .init(resume: resume))
        return try await Task {
            try await run.run(
                contact: "",
                progress: { done in if done >= limit { withUnsafeCurrentTask { $0?.cancel() } } })
        }.value
    }

    /// All pictures of this model are drawn three times again; they replay, and stopped and resumed they are the same.
    @Test func whatIsDrawnAgainIsRecorded() async throws {
        #expect(try await run("s.h5") == 5)
        let file = try await SampleSetFile.open(folder.file("s.h5"))
        let last = UInt64(DiscCheck.attempts) << 48
        #expect(file.indices == [0, 1, 2, 3, 4].map { $0 + last })
        let json = file.runs[0].schedule
        #expect(json.contains("\"redrawn\":\"one-disc\""))
        let outcome = try await Replay(file, model: model).run(rows: Array(0..<5), batchSize: 3)
        #expect(outcome.equal == 5 && outcome.mode == .bitwise)
        #expect(try await run("halves.h5", cancellingAt: 2) == 2)
        #expect(try await run("halves.h5", resume: true) == 5)
        #expect(
            try await SampleSetFile.contentDigest(folder.file("halves.h5")) == SampleSetFile.contentDigest(file.path))
        // Finished, it is as it was.
        #expect(try await run("halves.h5", resume: true) == 5)
        #expect(try await run("plain.h5", wantsOneDisc: false) == 5)
        let plain = try await SampleSetFile.open(folder.file("plain.h5"))
        #expect(plain.indices == [0, 1, 2, 3, 4] && !plain.runs[0].schedule.contains("redrawn"))
    }

    @Test func whatCannotBeDrawnAgainIsRefused() async throws {
        do {
            _ = try await run("far.h5", firstIndex: 1 << 48)
            Issue.record("a number beyond 2^48 was taken")
        } catch let failure as Failure {
            #expect(failure.kind == .usage && "\(failure)".contains("expected a number below 2^48"))
        }
        let small = try LoadedModel.drawn(.ofTwoNetworks(size: 32), in: try TemporaryFolder())
        var settings = SamplerSettings(for: small.manifest.model)
        settings.wantsOneDisc = true
        do {
            _ = try await SamplingRun(
                small, settings, plan: SamplingPlan(count: 1, cohorts: []), seed: 1, firstIndex: 0,
                path: folder.file("small.h5"), options: .init()
            ).run(contact: "")
            Issue.record("discs were looked for in 32 pixels")
        } catch let failure as Failure {
            #expect(failure.kind == .usage && "\(failure)".contains("square pictures of 64 pixels and more"))
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("small.h5")))
    }
}
