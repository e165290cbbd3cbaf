import CheckpointStore
import Cohorts
import Diffusion
import Files
import Foundation
import Models
import Networks
import Pictures
import Randomness
import SampleStore
import Sampling
import Support
import TensorCore
import TestTensors
import Testing

/// Sampling from a random tiny model: all its parameters are drawn, the last layer's too, so that samples differ.
@Suite(.serialized) struct SamplingTests {
    let folder: TemporaryFolder
    let model: LoadedModel

    init() throws {
        folder = try TemporaryFolder()
        let description = ModelDescription(
            network: Preset.tiny.configuration, height: 16, width: 24, cohort: CohortEncoding(attributes: ["dr_icdr"]))
        model = try LoadedModel.drawn(description, in: folder)
    }

    private func pixels(
        _ plan: SamplingPlan, first: UInt64 = 0, seed: UInt64 = 9, change: (inout SamplerSettings) -> Void = { _ in }
    ) throws -> [[UInt8]] {
        var settings = SamplerSettings()
        settings.steps = 4
        settings.guidanceScale = 1.5
        change(&settings)
        let bytes = 16 * 24 * 3
        return try Sampler(model, settings, plan: plan, seed: seed, firstIndex: first).flatMap { batch in
            stride(from: 0, to: batch.pixels.count, by: bytes).map { Array(batch.pixels[$0..<$0 + bytes]) }
        }
    }

    @Test func aSampleAloneEqualsItselfAmongMany() throws {
        let cohorts = [
            try CohortRequest("dr_icdr=0"), try CohortRequest("dr_icdr=2.5"), try CohortRequest("dr_icdr=unknown"),
        ]
        let all = try pixels(SamplingPlan(count: 21, cohorts: cohorts))
        #expect(Set(all).count == 21)
        // Sample 17 asks for what stands at 17 % 3.
        let alone = try pixels(SamplingPlan(count: 1, cohorts: [cohorts[17 % 3]]), first: 17)
        #expect(alone == [all[17]])
        for batch in [1, 5] {
            let isSame = try pixels(SamplingPlan(count: 21, cohorts: cohorts)) { $0.batchSize = batch } == all
            #expect(isSame, "batch \(batch)")
        }
    }

    @Test(.exclusivePool) func threadsDoNotChangeSamples() throws {
        let results = try [1, 2, 3].map { threads in
            ComputeEnvironment.threads = threads
            try #require(ComputeEnvironment.threads == threads)
            return try pixels(SamplingPlan(count: 5, cohorts: []))
        }
        #expect(results[0] == results[1])
        #expect(results[0] == results[2])
    }

    @Test func cohortSeedAndGuidanceMatter() throws {
        let plain = try pixels(SamplingPlan(count: 1, cohorts: [try CohortRequest("dr_icdr=0")]))
        #expect(try pixels(SamplingPlan(count: 1, cohorts: [try CohortRequest("dr_icdr=4")])) != plain)
        #expect(try pixels(SamplingPlan(count: 1, cohorts: [try CohortRequest("dr_icdr=0")]), seed: 10) != plain)
        #expect(
            try pixels(SamplingPlan(count: 1, cohorts: [try CohortRequest("dr_icdr=0")])) { $0.guidanceScale = 1 }
                != plain)
    }

    @Test(arguments: [
        ("dr_icdr", "attribute=value"), ("dr_icdr=7", "dr_icdr \"7\""), ("grade=3", "not an attribute"),
        ("dr_icdr=1,dr_icdr=2", "twice"), ("sex=f", "sex \"f\""), ("dr_icdr=-1", "dr_icdr \"-1\""),
        ("dr_icdr=nan", "\"nan\""),
    ])
    func badRequestsAreRefused(_ text: String, _ says: String) {
        let failure = #expect(throws: Failure.self) { try CohortRequest(text) }
        #expect(failure?.kind == .usage)
        #expect(failure?.description.contains(says) == true, "\(failure?.description ?? "")")
    }

    @Test func attributesThatTheModelLacksAreRefused() throws {
        let plan = SamplingPlan(count: 1, cohorts: [try CohortRequest("sex=female")])
        let failure = #expect(throws: Failure.self) { try pixels(plan) }
        #expect(failure?.description.contains("not conditioned on sex; it knows dr_icdr") == true)
    }

    /// Cohorts that fewer than five patients stood for are drawn on request alone.
    @Test func cohortsThatTheModelNeverSawAreRefused() async throws {
        let seen = SeenCohorts(model)
        for text in ["dr_icdr=2", "dr_icdr=2.5", "dr_icdr=unknown", "dr_icdr=3"] {
            #expect(seen.refusal(of: try CohortRequest(text)) == nil, "\(text)")
        }
        #expect(seen.refusal(of: .open) == nil)
        for text in ["dr_icdr=4", "dr_icdr=3.5", "dr_icdr=1.5"] {
            #expect(seen.refusal(of: try CohortRequest(text)) != nil, "\(text)")
        }
        // Counts are rounded, so that a grade of 3 patients may read 5; combinations say what was enough.
        let refusal = seen.refusal(of: try CohortRequest("dr_icdr=0"))
        #expect(refusal == "dr_icdr=0 was seen with fewer than 5 patients; the model saw 2 (3 to 7), 3 (about 10)")
        func run(_ name: String, allowsUnseen: Bool) async throws -> Int {
            var settings = SamplerSettings()
            settings.steps = 1
            let plan = SamplingPlan(
                count: 2, cohorts: [try CohortRequest("dr_icdr=2"), try CohortRequest("dr_icdr=0")])
            return try await SamplingRun(
                model, settings, plan: plan, seed: 1, firstIndex: 0, path: folder.file(name), options: .init(),
                allowsUnseen: allowsUnseen
            ).run(contact: "")
        }
        let failure = await #expect(throws: Failure.self) { try await run("refused.h5", allowsUnseen: false) }
        #expect(failure?.kind == .usage)
        #expect(!FileManager.default.fileExists(atPath: folder.file("refused.h5")))
        #expect(try await run("drawn.h5", allowsUnseen: true) == 2)
    }

    @Test func combinationsAreAskedForTogether() throws {
        var manifest = model.manifest
        manifest.model.cohort = CohortEncoding(
            attributes: ["dr_icdr", "sex", "camera"], openNames: ["camera": ["a", "b"]])
        manifest.trainingData[0].combinations = [
            ["dr_icdr": "2", "sex": "female", "camera": "a"], ["dr_icdr": "3", "sex": "male"],
        ]
        let seen = SeenCohorts(manifest.trainingData)
        for text in ["dr_icdr=2,sex=female", "sex=female,camera=a", "sex=male"] {
            #expect(seen.refusal(of: try CohortRequest(text)) == nil, "\(text)")
        }
        let refusal = seen.refusal(of: try CohortRequest("sex=male,dr_icdr=2"))
        #expect(
            refusal?.hasPrefix("dr_icdr=2, sex=male were seen together with fewer than 5 patients") == true,
            "\(refusal ?? "")")
        #expect(seen.refusal(of: try CohortRequest("dr_icdr=2.5,sex=female")) != nil)
        let unknown = #expect(throws: Failure.self) {
            try CohortRequest("camera=c").values(for: manifest.model.cohort, model: "m")
        }
        #expect(unknown?.description.contains("knows no camera \"c\"; it knows a, b") == true)
        #expect(
            try CohortRequest("camera=b").values(for: manifest.model.cohort, model: "m") == [.null, .null, .code(1)])
    }

    /// Guidance by attribute keeps the others in both terms; the cost says how often the network is evaluated.
    @Test func guidanceByAttributeAndInterval() throws {
        let plan = SamplingPlan(count: 1, cohorts: [try CohortRequest("dr_icdr=2")])
        let all = try pixels(plan)
        #expect(try pixels(plan) { $0.guidedAttributes = ["dr_icdr"] } == all)
        // Nothing is guided: both terms are the same.
        #expect(try pixels(plan) { $0.guidedAttributes = [] } == pixels(plan) { $0.guidanceScale = 1 })
        #expect(try pixels(plan) { $0.guidanceInterval = 1000...2000 } == pixels(plan) { $0.guidanceScale = 1 })
        #expect(try pixels(plan) { $0.guidanceInterval = 0.5...2000 } != all)
        let failure = #expect(throws: Failure.self) { try pixels(plan) { $0.guidedAttributes = ["sex"] } }
        #expect(failure?.option == "guide")
        var settings = SamplerSettings()
        #expect(settings.evaluations == 35)
        settings.guidanceScale = 2
        #expect(settings.evaluations == 70)
        settings.guidanceInterval = 79...81
        #expect(settings.evaluations == 36)
        settings.sampler = .dpmpp
        #expect(settings.evaluations == 19)
    }

    @Test func everySamplerIsReproducible() throws {
        let plan = SamplingPlan(count: 5, cohorts: [])
        var results: [[[UInt8]]] = []
        for kind in SamplerKind.allCases {
            let all = try pixels(plan) { $0.sampler = kind }
            #expect(try pixels(plan) { ($0.sampler, $0.batchSize) = (kind, 2) } == all)
            #expect(try pixels(SamplingPlan(count: 1, cohorts: []), first: 3) { $0.sampler = kind } == [all[3]])
            results.append(all)
        }
        #expect(Set(results).count == SamplerKind.allCases.count)
    }

    @Test func plansAreRead() throws {
        let path = folder.file("plan.csv")
        try Data("dr_icdr,count\n3,2\n,1\n".utf8).write(to: URL(fileURLWithPath: path))
        let plan = try SamplingPlan(contentsOf: path)
        #expect(plan.count == 3)
        #expect(plan.requests[1] == (try CohortRequest("dr_icdr=3")))
        #expect(plan.requests[2] == .open)
        try Data("dr_icdr,count\n3,two\n".utf8).write(to: URL(fileURLWithPath: path))
        let failure = #expect(throws: Failure.self) { try SamplingPlan(contentsOf: path) }
        #expect(failure?.description.contains("line 2") == true)
        try Data("dr_icdr,count\n3,0\n".utf8).write(to: URL(fileURLWithPath: path))
        expectFailure(.badData, "count: expected at least one sample, found none") {
            try SamplingPlan(contentsOf: path)
        }
    }

    @Test func numbersBeyondTheStreamsAreRefused() throws {
        let failure = #expect(throws: Failure.self) { try pixels(SamplingPlan(count: 2, cohorts: []), first: .max) }
        #expect(failure?.kind == .usage)
    }

    /// Whoever calls the library is asked as the command line is; an audit is not.
    @Test func permissionsAreAskedByTheRun() async throws {
        var manifest = model.manifest
        manifest.permissions = Permissions(purposes: ["DUO:0000042"], expires: "2020-01-31")
        let path = folder.file("ended.safetensors")
        try ModelFile(manifest: manifest, tensors: model.parameters.fileTensors()).write(path, as: .f32, force: false)
        let ended = try LoadedModel(contentsOf: path)
        var settings = SamplerSettings()
        settings.steps = 2
        func run(_ name: String, _ use: SamplingRun.Use) async throws -> Int {
            try await SamplingRun(
                ended, settings, plan: SamplingPlan(count: 1, cohorts: []), seed: 1, firstIndex: 0,
                path: folder.file(name), options: .init(), use: use
            ).run(contact: "")
        }
        await #expect(throws: Failure(.notPermitted, path, "its permissions ended on 2020-01-31")) {
            try await run("refused.h5", .purpose(nil))
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("refused.h5")))
        #expect(try await run("audited.h5", .audit) == 1)
    }

    @Test func runsAreStoredWithProvenance() async throws {
        let path = folder.file("s.h5")
        var settings = SamplerSettings()
        settings.steps = 3
        settings.batchSize = 2
        let plan = SamplingPlan(count: 3, cohorts: [try CohortRequest("dr_icdr=3"), try CohortRequest("dr_icdr=2.5")])
        let run = SamplingRun(model, settings, plan: plan, seed: 7, firstIndex: 4, path: path, options: .init())
        #expect(try await run.run(contact: "somebody") == 3)
        let set = try await SampleSetFile.open(path)
        #expect(set.count == 3)
        #expect((set.width, set.height) == (24, 16))
        #expect(set.seeds == [7, 7, 7])
        #expect(set.indices == [4, 5, 6])
        #expect(set.cohorts["dr_icdr"]?.codes == [3, Attribute.unspecified, 3])
        #expect(set.requests["dr_icdr"]?[1] == 2.5)
        #expect(set.siteNames == ["here"])
        #expect(set.runs.count == 1)
        #expect(set.runs[0].modelDigest == model.digest)
        #expect(set.runs[0].blasCore == ComputeEnvironment.blasCore)
        #expect(set.terms.licence == "CC BY 4.0")
        #expect(set.terms.contact == "somebody")
        #expect(set.terms.permittedUses == "unspecified")
        let stored = try await set.images(rows: [1])
        let expected = try pixels(SamplingPlan(count: 1, cohorts: [plan.requests[1]]), first: 5, seed: 7) {
            $0.steps = 3
            $0.guidanceScale = 1
        }
        #expect(stored == expected[0])
        // Lines of the title, and two rows with a line above each, of pictures of 24 x 16 that are enlarged fourfold.
        let sheet = try Picture(contentsOf: run.sheetPath)
        #expect(sheet.width == 2 * 98 - 2)
        let title = sheet.height - (2 * (22 + 66) - 2)
        #expect(title % 22 == 0 && (44...110).contains(title), "a narrow sheet has a title of several lines")
        let texts = try PNGText.all(in: Data(contentsOf: URL(fileURLWithPath: run.sheetPath)), name: "sheet")
        #expect(texts["XML:com.adobe.xmp"]?.contains("trainedAlgorithmicMedia") == true)
        let again = await #expect(throws: Failure.self) { try await run.run(contact: "") }
        #expect(again?.kind == .cannotCreateOutput)
    }

    @Test func brokenSnapshotsAreRefused() throws {
        var file = try Safetensors(contentsOf: model.path)
        func refused(_ change: (inout Safetensors) -> Void) throws -> String {
            var changed = file
            change(&changed)
            let path = folder.file("broken-\(UUID().uuidString).safetensors")
            try changed.encoded(as: .f32).write(to: URL(fileURLWithPath: path))
            let failure = #expect(throws: Failure.self) { try LoadedModel(contentsOf: path) }
            #expect(failure?.kind == .badData)
            return failure?.description ?? ""
        }
        #expect(try refused { $0.tensors["conv_in.bias"] = nil }.contains("missing: conv_in.bias"))
        #expect(try refused { $0.tensors["extra"] = .zeros([1]) }.contains("unexpected: extra"))
        #expect(try refused { $0.tensors["conv_in.bias"] = .zeros([3]) }.contains("mismatched: conv_in.bias"))
        #expect(try refused { $0.tensors["conv_in.bias"] = Tensor(repeating: .nan, shape: [16]) }.contains("finite"))
        #expect(try refused { $0.metadata = [:] }.contains("fovea"))
        #expect(
            try refused {
                $0.metadata["fovea"] = $0.metadata["fovea"]?.replacingOccurrences(
                    of: "\"normGroups\":8", with: "\"normGroups\":7")
            }.contains("normGroups"))
        file.tensors = [:]
        #expect(try refused { $0 = file }.contains("missing"))
    }
}
