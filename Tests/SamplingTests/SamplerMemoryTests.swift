import Diffusion
import Files
import Foundation
import Models
import Networks
import Sampling
import Support
import TestTensors
import Testing

/// Sampling that does not fit into memory is refused before it begins.
@Suite(.serialized) struct SamplerMemoryTests {
    @Test(
        .exclusivePool,
        .enabled(
            if: ProcessInfo.processInfo.environment["FOVEA_TESTS_ALONE"] != nil,
            "it measures the memory of the whole process, so Tools/test runs it where nothing else runs"))
    func `a batch that does not fit is refused with the largest that does`() throws {
        let folder = try TemporaryFolder()
        let model = try LoadedModel.drawn(
            ModelDescription(
                network: Preset.tiny.configuration, height: 32, width: 32,
                cohort: CohortEncoding(attributes: [])), in: folder)
        var settings = SamplerSettings()
        settings.batchSize = 64
        let plan = SamplingPlan(count: 64, cohorts: [])
        func sampler() throws -> Sampler { try Sampler(model, settings, plan: plan, seed: 1) }
        #expect(throws: Never.self) { try sampler().requireRoom(available: 1 << 40) }
        let none = expectFailure(.usage, "memory: expected about ") { try sampler().requireRoom(available: 1000) }
        #expect(
            none?.sentence.hasSuffix(" MiB to draw one sample, found 0 MiB that it may use; take a smaller model")
                == true)
        let some = expectFailure(.usage, "expected at most ") { try sampler().requireRoom(available: 12 << 20) }
        #expect(some?.option == "batch" && some?.place == model.path)
        let largest = try #require(some?.sentence.firstMatch(of: #/at most (\d+),/#).flatMap { Int($0.1) })
        #expect(largest > 0 && largest < 64)
        // What is said to fit is taken, and far more is not.
        settings.batchSize = largest
        #expect(throws: Never.self) { try sampler().requireRoom(available: 12 << 20) }
        settings.batchSize = 3 * largest
        #expect(throws: Failure.self) { try sampler().requireRoom(available: 12 << 20) }
    }
}
