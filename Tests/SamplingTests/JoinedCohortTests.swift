import CheckpointStore
import Cohorts
import Diffusion
import Files
import Foundation
import Models
import Networks
import SampleStore
import Sampling
import Support
import Testing

/// Requests for one of several values, such as `age_band=70-79|80+`.
@Suite(.serialized) struct JoinedCohortTests {
    private func data(
        _ counts: [([String: String], Int)]?, combinations: [[String: String]] = [], site: String = "here"
    ) -> TrainingData {
        var data = TrainingData.ofTests
        data.site = site
        data.combinations = combinations
        data.jointCounts = counts?.map { JointCount(values: $0.0, patients: $0.1) }
        return data
    }

    private static let women: [([String: String], Int)] = [
        (["age_band": "60-69", "sex": "female"], 20), (["age_band": "70-79", "sex": "female"], 5),
        (["age_band": "80+", "sex": "female"], 5), (["age_band": "80+", "sex": "male"], 10),
    ]

    @Test(arguments: [
        ("age_band=70-79|80+,sex=female", "age_band=70-79|80+, sex=female", 2),
        ("dr_icdr=2..4", "dr_icdr=2|3|4", 3), ("age_band=60-69..80+", "age_band=60-69|70-79|80+", 3),
        ("dr_icdr=0|3..4,sex=female|male", "dr_icdr=0|3|4, sex=female|male", 6),
        ("dr_icdr=3 | ungradable", "dr_icdr=3|ungradable", 2), ("sex=female|unknown", "sex=female|unknown", 2),
        ("camera=a|b", "camera=a|b", 2),
    ])
    func severalValuesAreRead(_ text: String, _ says: String, _ members: Int) throws {
        let request = try CohortRequest(text)
        #expect(request.isJoined)
        #expect(request.text == says)
        #expect(request.members.count == members)
        #expect(request.members.allSatisfy { !$0.isJoined && $0.asked == says })
        #expect(Set(request.members).count == members)
    }

    /// A member of a number is the number's own request.
    @Test func membersAreWhatIsAskedForAlone() throws {
        let member = try #require(try CohortRequest("dr_icdr=2..3").members.last),
            alone = try CohortRequest("dr_icdr=3")
        #expect((member.cohort, member.positions) == (alone.cohort, alone.positions))
        #expect(member.positions == ["dr_icdr": 3])
    }

    /// A joined request is nothing that a model can be asked for; a camera's own name may hold the sign that joins.
    @Test func whatAPhotographSaysIsAskedForExactly() throws {
        let encoding = CohortEncoding(attributes: ["camera", "dr_icdr"], openNames: ["camera": ["A|B, C"]])
        let exact = CohortRequest(Cohort(["camera": "A|B, C", "dr_icdr": "3"]))
        #expect(try exact.values(for: encoding, model: "m") == [.code(0), .code(3)])
        #expect(exact.positions == ["dr_icdr": 3])
        expectFailure(.usage, "names several values") {
            try CohortRequest("dr_icdr=2|3").values(for: encoding, model: "m")
        }
    }

    @Test(arguments: [
        ("dr_icdr=2-4", "written as in 3|4 or 2..4"), ("age_band=70+", "70-79|80+ or 60-69..80+"),
        ("dr_icdr=4..2", "lower end before the higher"), ("dr_icdr=2|2", "\"2\" occurs twice"),
        ("dr_icdr=2..3|3", "\"3\" occurs twice"), ("dr_icdr=2.5|3", "between two values"),
        ("sex=female..male", "have no order"), ("dr_icdr=2|", "both sides of |"),
        ("dr_icdr=2..ungradable", "ungradable"), ("dr_icdr=0,1,2", "| between several values"),
    ])
    func whatIsNoRangeIsRefused(_ text: String, _ says: String) {
        let failure = #expect(throws: Failure.self) { try CohortRequest(text) }
        #expect(failure?.kind == .usage)
        #expect(failure?.description.contains(says) == true, "\(failure?.description ?? "")")
    }

    /// Each patient stands in one count, so 5 and 5, rounded, are at least 6 patients; one 5 may be 3.
    @Test func theFloorCountsThePatientsOfAllMembers() throws {
        let seen = SeenCohorts([data(JoinedCohortTests.women)])
        #expect(seen.refusal(of: try CohortRequest("age_band=70-79,sex=female")) != nil)
        #expect(seen.refusal(of: try CohortRequest("age_band=80+,sex=female")) != nil)
        #expect(seen.refusal(of: try CohortRequest("age_band=70-79|80+,sex=female")) == nil)
        let refusal = try #require(seen.refusal(of: try CohortRequest("age_band=50-59|80+,sex=female")))
        #expect(refusal.contains("age_band=50-59, sex=female: fewer than 3; age_band=80+, sex=female: 3 to 7"))
        // Two sites do not add up: the floor holds for each training set.
        let halves = [
            data([(["age_band": "70-79", "sex": "female"], 5)]),
            data([(["age_band": "80+", "sex": "female"], 5)], site: "there"),
        ]
        #expect(SeenCohorts(halves).refusal(of: try CohortRequest("age_band=70-79|80+,sex=female")) != nil)
    }

    /// A model of photographs without labels has no values to count, and is drawn from if it saw enough patients.
    @Test func aRequestForNothingNeedsPatientsOnly() {
        func refusal(_ patients: Int) -> String? {
            var set = data([])
            (set.patients, set.combinations, set.cohortCounts) = (patients, [], [:])
            return SeenCohorts([set]).refusal(of: CohortRequest(Cohort()))
        }
        #expect(refusal(30) == nil)
        #expect(refusal(5)?.contains("does not show that it was trained on 5 patients") == true)
    }

    /// Of three attributes the file has no counts together: a member with enough patients by itself is needed.
    @Test func ofMoreAttributesAMemberIsNeeded() throws {
        let combinations = [["age_band": "80+", "sex": "female", "dr_icdr": "3"]]
        let seen = SeenCohorts([data(JoinedCohortTests.women, combinations: combinations)])
        #expect(seen.refusal(of: try CohortRequest("age_band=70-79|80+,sex=female,dr_icdr=3")) == nil)
        #expect(seen.refusal(of: try CohortRequest("age_band=70-79|80+,sex=female,dr_icdr=4")) != nil)
        // A file of version 0.1 has no counts together.
        let old = SeenCohorts([data(nil, combinations: [["age_band": "80+", "sex": "male"]])])
        #expect(old.refusal(of: try CohortRequest("age_band=70-79|80+,sex=female")) != nil)
        #expect(old.refusal(of: try CohortRequest("age_band=70-79|80+,sex=male")) == nil)
    }

    @Test func aRefusalNamesTheCountsOfTheCombination() throws {
        let seen = SeenCohorts([
            data(
                JoinedCohortTests.women,
                combinations: [["age_band": "60-69", "sex": "female"], ["age_band": "80+", "sex": "male"]])
        ])
        let refusal = try #require(seen.refusal(of: try CohortRequest("age_band=80+,sex=female")))
        #expect(
            refusal.contains("with age_band=80+ the model saw sex female (3 to 7), male (about 10)"), "\(refusal)")
        #expect(
            refusal.contains("sex=female the model saw age_band 60-69 (about 20), 70-79 (3 to 7), 80+ (3 to 7)"),
            "\(refusal)")
    }

    /// A model of grades 2 (5 patients), 3 (15) and 4 (none), and its samples.
    private func run(
        _ request: String, count: Int, first: UInt64 = 0, seed: UInt64? = 4, insists: Bool = false,
        in folder: TemporaryFolder, name: String
    ) async throws -> SampleSetFile {
        let description = ModelDescription(
            network: Preset.tiny.configuration, height: 8, width: 8, cohort: CohortEncoding(attributes: ["dr_icdr"]))
        let path = folder.file("model.safetensors")
        if !FileManager.default.fileExists(atPath: path) {
            let drawn = try LoadedModel.drawn(description, in: folder)
            var manifest = drawn.manifest
            manifest.trainingData = [
                data([(["dr_icdr": "2"], 5), (["dr_icdr": "3"], 15)], combinations: [["dr_icdr": "3"]])
            ]
            try ModelFile(manifest: manifest, tensors: drawn.parameters.fileTensors())
                .write(path, as: .f32, force: true)
        }
        var settings = SamplerSettings()
        settings.steps = 1
        _ = try await SamplingRun(
            try LoadedModel(contentsOf: path), settings,
            plan: SamplingPlan(count: count, cohorts: [try CohortRequest(request)]), seed: seed, firstIndex: first,
            path: folder.file(name), options: .init(), allowsUnseen: insists
        ).run(contact: "")
        return try await SampleSetFile.open(folder.file(name))
    }

    /// The label says what a sample was drawn for, `asked` what it was asked for; the proportions are the patients'.
    @Test func samplesAreDrawnInProportionToPatients() async throws {
        let folder = try TemporaryFolder()
        let set = try await run("dr_icdr=2..4", count: 40, in: folder, name: "s.h5")
        let counts = set.cohorts["dr_icdr"]?.counts ?? [:]
        #expect((9...11).contains(counts["2"] ?? 0), "\(counts)")
        #expect((counts["2"] ?? 0) + (counts["3"] ?? 0) == 40)
        #expect((0..<40).allSatisfy { set.asked(row: $0) == "dr_icdr=2|3|4" })
        #expect(try set.description().joined == ["dr_icdr=2|3|4": 40])
        #expect(set.runs[0].warnings == nil)
        let alone = try await run("dr_icdr=2..4", count: 3, first: 17, in: folder, name: "alone.h5")
        #expect(alone.planned == Array(set.planned[17..<20]))
        #expect(alone.digests == Array(set.digests[17..<20]))
        #expect(await SampleSetVerification.findingsInContent(set.path, samplers: ["heun"]).isEmpty)
        let replay = Replay(set, model: try LoadedModel(contentsOf: folder.file("model.safetensors")))
        #expect(try await replay.run(rows: [0, 39]).equal == 2)
    }

    /// A run that was told to draw a small cohort says so, in the file and to everybody who describes it.
    @Test func smallCohortsThatAreDrawnAreNamed() async throws {
        let folder = try TemporaryFolder()
        await expectLaterFailure(.usage, "dr_icdr=4 was seen with fewer than 5 patients") {
            try await run("dr_icdr=4", count: 1, in: folder, name: "refused.h5")
        }
        let set = try await run("dr_icdr=4", count: 2, insists: true, in: folder, name: "s.h5")
        #expect(set.runs[0].warnings?.smallCohorts == ["dr_icdr=4"])
        #expect(try set.description().warnings.first?.contains("dr_icdr=4") == true)
        let usual = try await run("dr_icdr=3", count: 2, insists: true, in: folder, name: "usual.h5")
        #expect(usual.runs[0].warnings == nil)
        #expect(try usual.description().warnings.isEmpty)
    }

    @Test func guidanceSaysWhereItIsNotWhatIsExpected() {
        #expect(GuidanceLabel(scale: 0.5) == .weaker)
        #expect(GuidanceLabel(scale: 0) == .ignored)
        #expect(GuidanceLabel(scale: 20) == .untested)
        for scale: Float in [1, 1.5, 3] { #expect(GuidanceLabel(scale: scale) == nil) }
    }
}
