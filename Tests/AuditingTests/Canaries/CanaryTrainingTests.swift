import Auditing
import CheckpointStore
import Federation
import Files
import Foundation
import Interchange
import Models
import TensorCore
import Support
import Testing
import Training

@Suite(.serialized) struct CanaryTrainingTests {
    private func settings(_ canaries: PhantomPatients, images: Int = 64, repetitions: Int = 1) -> TrainingConfiguration
    {
        var settings = PhantomPatients.settings(images: images)
        settings.canaries = canaries.dataset.path
        settings.canaryRepetitions = repetitions
        settings.validateEveryImages = 1_000_000
        settings.previewEveryImages = 1_000_000
        settings.checkpointEveryImages = 32
        return settings
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    @Test func `coins are fair, of the seed alone, and put each photograph in as often as asked`() async throws {
        let phantoms = try await PhantomPatients(patients: 120, visits: 2, seed: 9)
        let set = try CanarySet(phantoms.dataset, seed: 4, repetitions: 4)
        let again = try CanarySet(phantoms.dataset, seed: 4, repetitions: 4),
            other = try CanarySet(phantoms.dataset, seed: 5, repetitions: 4)
        #expect(set.isIncluded == again.isIncluded && set.isIncluded != other.isIncluded)
        #expect(
            set.record.count == 120 && set.record.included == set.isIncluded.count { $0 }
                && (35...85).contains(set.record.included))
        let included = zip(set.rows, set.isIncluded).filter(\.1).flatMap(\.0)
        let counts = Dictionary(grouping: set.trainingRows) { $0 }.mapValues(\.count)
        #expect(Set(counts.keys) == Set(included) && counts.values.allSatisfy { $0 == 4 })
    }

    @Test func `a canary model is marked, resumes bit for bit, and its canaries are found in it`() async throws {
        let data = try await PhantomPatients(patients: 8), canaries = try await PhantomPatients(patients: 100, seed: 9)
        func run(_ folder: String, images: Int, resume: Bool = false) async throws {
            let wanted = settings(canaries, images: images)
            let run = try await TrainingRun(folder: folder, datasets: [data.dataset], resume: resume) { before in
                guard var before else { return wanted }
                before.images = images
                return before
            }
            _ = try run.run()
        }
        let straight = data.folder.file("straight"), stopped = data.folder.file("stopped")
        try await run(straight, images: 96)
        try await run(stopped, images: 40)
        try await run(stopped, images: 96, resume: true)
        for file in ["checkpoint", "snapshot"] {
            let isSame = try bytes("\(straight)/\(file).safetensors") == bytes("\(stopped)/\(file).safetensors")
            #expect(isSame, "\(file)")
        }
        let model = try LoadedModel(contentsOf: "\(straight)/snapshot.safetensors"),
            mark = try #require(model.manifest.canaries)
        #expect(mark.count == 100 && mark.repetitions == 1 && mark.seed == 3)
        // Where the canaries lay is this machine's business.
        #expect(!model.manifest.configuration.contains(canaries.folder.path))

        let audit = try await CanaryAudit(model, canaries: canaries.dataset)
        let found = try audit.run()
        #expect(found.canaries == mark && found.epsilon == 0 && found.guesses?.count == 4)
        let strangers = try await PhantomPatients(patients: 100, seed: 10)
        await expectLaterFailure(.badData, "canaries: expected the file that \(model.path) was trained with") {
            try await CanaryAudit(model, canaries: strangers.dataset)
        }
        await expectLaterFailure(.badData, "canaries: expected \(mark.digest), found ") {
            try await TrainingRun(folder: stopped, datasets: [data.dataset], resume: true) { before in
                var before = try #require(before)
                before.canaries = strangers.dataset.path
                return before
            }
        }
    }

    @Test func `it never leaves its site, nor does what is trained on it`() async throws {
        let data = try await PhantomPatients(patients: 8), canaries = try await PhantomPatients(patients: 100, seed: 9)
        let wanted = settings(canaries), folder = data.folder.file("run"), tuned = data.folder.file("tuned")
        _ = try await TrainingRun(folder: folder, datasets: [data.dataset], resume: false) { _ in wanted }.run()
        let snapshot = try LoadedModel(contentsOf: "\(folder)/snapshot.safetensors")
        func refuses(_ body: () throws -> Void) {
            let failure = #expect(throws: Failure.self, performing: body)
            #expect(failure?.kind == .notPermitted && failure?.sentence.contains("canaries") == true)
        }
        refuses { try ModelFolder(data.folder.file("out")).write(snapshot, unaudited: "a reason", force: false) }
        // An adapter that saw no canary, on a base that did.
        _ = try await TrainingRun(folder: tuned, datasets: [data.dataset], resume: false) { _ in
            var settings = wanted
            settings.start(from: snapshot)
            settings.canaries = ""
            settings.images = 16
            return settings
        }.run()
        let key = SigningKey(),
            (adapter, _) = try ModelFile.read("\(tuned)/snapshot.adapter.safetensors", kind: .adapter)
        #expect(adapter.manifest.canaries == snapshot.manifest.canaries)
        let statement = ParcelStatement(
            site: data.dataset.info.site, round: 1, base: snapshot.digest.description, issued: Date(), selfTest: [],
            permissions: Permissions(
                purposes: ["DUO:0000042"], expires: nil, territories: [Permissions.worldwide], redistribution: false,
                singleSite: false), contact: "unspecified")
        refuses {
            _ = try ParcelSeal.seal(
                adapter, path: "adapter", statement: statement, unaudited: "a reason", key: key,
                to: data.folder.file("parcel"), force: false)
        }
        var unmarked = adapter
        unmarked.manifest.canaries = nil
        #expect(throws: Never.self) {
            try ParcelSeal.seal(
                unmarked, path: "adapter", statement: statement, unaudited: "a reason", key: key,
                to: data.folder.file("parcel"), force: false)
        }
    }

    @Test func `too few phantoms are refused, and photographs that are none`() async throws {
        let few = try await PhantomPatients(patients: 99)
        expectFailure(.badData, "canaries: expected at least 100 phantom patients, found 99") {
            try CanarySet(few.dataset, seed: 0, repetitions: 1)
        }
        var settings = TrainingConfiguration()
        settings.canaryRepetitions = 3
        #expect(settings.problem?.contains("canaryRepetitions: expected 1, 4, 16, 64") == true)
    }
}
