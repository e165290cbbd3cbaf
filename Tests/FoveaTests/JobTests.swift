import Files
import Foundation
import Fovea
import Support
import Testing

/// What another package does with the product `Fovea`.
@Suite struct JobTests {
    private func phantoms(_ folder: TemporaryFolder, site: String? = nil) async throws -> String {
        var job = PhantomJob(patients: 20, seed: 3, to: folder.file("phantoms.h5"))
        job.size = 32
        job.site = site
        return try await job.outcome().output
    }

    private func training(_ data: String, _ folder: TemporaryFolder, images: Int) throws -> TrainJob {
        let settings = try folder.write(
            "batchSize: 4\ncheckpointEveryImages: 1000\nvalidateEveryImages: 16\npreviewEveryImages: 1000\n".utf8,
            "train.yaml")
        var job = TrainJob(data: [data], to: folder.file("run"))
        (job.wishes.preset, job.wishes.size) = (.tiny, 32)
        job.wishes.images = images
        job.wishes.config = settings
        return job
    }

    @Test func `phantoms, a training and samples from one package`() async throws {
        let folder = try TemporaryFolder()
        let trained = try await training(try await phantoms(folder), folder, images: 16).outcome()
        #expect(trained.imagesSeen == 16)
        var sampling = SampleJob(
            model: ModelSource(trained.snapshot), .count(3, cohorts: []), to: folder.file("s.h5"))
        sampling.steps = 2
        #expect(try await sampling.outcome().count == 3)
        let verified = try await VerifyJob(folder.file("s.h5")).outcome()
        #expect(verified.ok)
        #expect(verified.refusal == nil)
        let replayed = try await ReplayJob(folder.file("s.h5"), model: ModelSource(trained.snapshot)).outcome()
        #expect(replayed.equal == 3)
    }

    @Test(arguments: [0, -1, .nan, .infinity, 50.5, 0.001, 0.09] as [Float])
    func `guidance that would not do what is asked is refused before anything is opened`(scale: Float) async {
        var job = SampleJob(model: ModelSource("none.safetensors"), .count(1, cohorts: ["dr_icdr=4"]), to: "s.h5")
        job.guidance = scale
        let failure = #expect(throws: Failure.self) { try job.validate() }
        #expect((failure?.kind, failure?.option) == (.usage, "guidance"))
        #expect(failure?.sentence.contains("1 means no guidance") == true)
        for taken in [0.1, 0.5, 1, 50] as [Float] {
            job.guidance = taken
            #expect(throws: Never.self) { try job.validate() }
        }
    }

    @Test func `events end with the outcome, and progress comes before it`() async throws {
        let folder = try TemporaryFolder()
        var job = PhantomJob(patients: 12, seed: 1, to: folder.file("p.h5"))
        job.size = 32
        var progress: [JobProgress] = [], finished = 0
        for try await event in job.run() {
            #expect(finished == 0, "an event after the outcome: \(event)")
            switch event {
            case .progress(let step): progress.append(step)
            case .note, .warning: break
            case .finished(let outcome):
                finished += 1
                #expect(outcome.count == 12)
            }
        }
        #expect(finished == 1)
        let last = try #require(progress.last)
        #expect((last.stage, last.unit) == ("phantom", "photographs"))
        #expect((last.done, last.total) == (12, 12))
        #expect(progress.map(\.done) == progress.map(\.done).sorted())
    }

    @Test func `a data set that is given twice is used once, and said`() async throws {
        let folder = try TemporaryFolder(), data = folder.file("p.h5"), link = folder.file("link.h5")
        var phantoms = PhantomJob(patients: 24, seed: 1, to: data)
        phantoms.size = 32
        _ = try await phantoms.outcome()
        try FileManager.default.linkItem(atPath: data, toPath: link)
        func loss(_ paths: [String], to name: String) async throws -> (loss: Double?, warnings: [String]) {
            var job = TrainJob(data: paths, to: folder.file(name)), warnings: [String] = [], loss: Double?
            (job.wishes.size, job.wishes.preset, job.wishes.images) = (32, .tiny, 16)
            for try await event in job.run() {
                if case .warning(let sentence) = event { warnings.append(sentence) }
                if case .finished(let outcome) = event { loss = outcome.loss }
            }
            return (loss, warnings)
        }
        let once = try await loss([data], to: "once"), twice = try await loss([data, data, link], to: "twice")
        #expect(once.warnings.isEmpty && once.loss != nil && once.loss == twice.loss)
        #expect(
            twice.warnings == [
                "\(data): this data set was given twice; it is used once",
                "\(link): this data set was given twice, as \(data) and as \(link); it is used once",
            ])
    }

    @Test func `progress that nobody has read is replaced by the newest of its stage`() async throws {
        struct Counting: Job {
            struct Outcome: JobOutcome { let lines: [String] = [] }

            func perform(_ report: JobReporter) async throws -> Outcome {
                for done in 1...100_000 { report.progress("count", "steps", done, of: 100_000) }
                report.note("half")
                for done in 1...100_000 { report.progress("again", "steps", done, of: 100_000) }
                return Outcome()
            }
        }
        let run = Counting().run()
        // Nothing is read until the work has ended.
        try await Task.sleep(for: .seconds(2))
        var seen: [String] = []
        for try await event in run {
            switch event {
            case .progress(let step): seen.append("\(step.stage) \(step.done)")
            case .note(let sentence), .warning(let sentence): seen.append(sentence)
            case .finished: seen.append("finished")
            }
        }
        #expect(Array(seen.suffix(4)) == ["count 100000", "half", "again 100000", "finished"])
        #expect(seen.count < 1000, "\(seen.count) events")
    }

    @Test func `a job whose values contradict each other is refused before it touches a file`() async throws {
        let folder = try TemporaryFolder()
        var job = SampleJob(model: ModelSource("none"), .count(1, cohorts: []), to: folder.file("s.h5"))
        job.deflate = 11
        await #expect { try await job.outcome() } throws: {
            ($0 as? Failure) == Failure(.usage, option: "deflate", expected: "0 to 9", found: "11")
        }
        #expect(try folder.names.isEmpty)
    }

    /// Weights of aachen, sealed and opened again.
    private func opened(_ folder: TemporaryFolder, data: String, singleSite: Bool) async throws -> String {
        let base = try await training(data, folder, images: 4).outcome().snapshot
        _ = try await MakeKeyJob(to: folder.file("aachen.key")).outcome()
        var tuning = TrainJob(data: [data], to: folder.file("tuned"))
        (tuning.wishes.base, tuning.wishes.images, tuning.wishes.tunesEverything) = (base, 16, true)
        _ = try await tuning.outcome()
        var seal = SealJob(
            folder.file("tuned/snapshot.safetensors"), key: folder.file("aachen.key"), site: "aachen", round: 1,
            to: folder.file("aachen.parcel"))
        (seal.purposes, seal.singleSite) = (["DUO:0000042"], singleSite)
        _ = try await seal.outcome()
        var opening = OpenParcelJob(folder.file("aachen.parcel"))
        opening.output = folder.file("opened.safetensors")
        _ = try await opening.outcome()
        return folder.file("opened.safetensors")
    }

    /// Why one sample for a purpose is refused; nil where it is drawn.
    private func refusal(_ model: String, purpose: String?, _ folder: TemporaryFolder) async throws -> Failure? {
        var sampling = SampleJob(model: ModelSource(model), .count(1, cohorts: []), to: folder.file("s.h5"))
        (sampling.steps, sampling.purpose, sampling.replaces) = (2, purpose, true)
        do { _ = try await sampling.outcome() } catch let failure as Failure { return failure }
        return nil
    }

    @Test func `a purpose that the site does not permit is refused by the library`() async throws {
        let folder = try TemporaryFolder(), data = try await phantoms(folder, site: "aachen")
        let model = try await opened(folder, data: data, singleSite: true)
        let refused = try #require(try await refusal(model, purpose: "DUO:0000007", folder))
        #expect((refused.kind, refused.option) == (.notPermitted, "purpose"))
        #expect(refused.sentence == "expected DUO:0000042, found DUO:0000007")
        #expect(try await refusal(model, purpose: "DUO:0000042", folder) == nil)
    }

    @Test func `a site that is not to be sampled alone is refused as a parcel, opened, and trained on`() async throws {
        let folder = try TemporaryFolder(), data = try await phantoms(folder, site: "aachen")
        let model = try await opened(folder, data: data, singleSite: false)
        let other = try TemporaryFolder()
        var further = TrainJob(data: [try await phantoms(other, site: "bonn")], to: other.file("further"))
        (further.wishes.base, further.wishes.images, further.wishes.tunesEverything) = (model, 16, true)
        let trainedOn = try await further.outcome().snapshot
        for weights in [folder.file("aachen.parcel"), model, trainedOn] {
            for purpose in ["DUO:0000042", nil] {
                let refused = try #require(try await refusal(weights, purpose: purpose, folder), "\(weights)")
                #expect(refused.kind == .notPermitted)
                #expect(refused.sentence.contains("aachen") && refused.sentence.contains("not permit sampling from it"))
            }
        }
    }

    @Test func `an input is never replaced by an output`() async throws {
        let folder = try TemporaryFolder(), data = try await phantoms(folder)
        let model = try await training(data, folder, images: 4).outcome().snapshot, digest = try Digest(ofFile: model)
        var sampling = SampleJob(model: ModelSource(model), .count(1, cohorts: []), to: model)
        sampling.replaces = true
        await #expect { try await sampling.outcome() } throws: {
            ($0 as? Failure)?.sentence.hasPrefix("is an input, ") == true
        }
        #expect(try Digest(ofFile: model) == digest)
    }

    @Test func `a training that is cancelled says what it kept, and goes on to the same weights`() async throws {
        let folder = try TemporaryFolder(), other = try TemporaryFolder(), data = try await phantoms(folder)
        let run = try training(data, folder, images: 1_000_000).run(), log = folder.file("run/log.jsonl")
        // A thread of its own: other tests may keep those busy that read events.
        Thread.detachNewThread {
            while FileManager.default.contents(atPath: log)?.isEmpty != false { usleep(1000) }
            run.cancel()
        }
        var failure: Failure?
        do { for try await _ in run {} } catch let caught as Failure { failure = caught }
        #expect(failure?.kind == .interrupted)
        #expect(failure?.remedy == .resume)
        let sentence = try #require(failure?.sentence)
        let seen = try #require(sentence.firstMatch(of: /stopped at ([0-9]+) images; everything is saved/)?.1)
        let images = try #require(Int(seen)) + 8
        var job = TrainJob(data: [data], to: folder.file("run"))
        (job.resumes, job.wishes.images) = (true, images)
        let resumed = try await job.outcome().snapshot
        let straight = try await training(data, other, images: images).outcome().snapshot
        #expect(try Digest(ofFile: resumed) == Digest(ofFile: straight))
    }

    @Test func `cancelling the task that reads the events cancels the job, and the reader gets its last word`()
        async throws
    {
        let folder = try TemporaryFolder(), job = try training(try await phantoms(folder), folder, images: 1_000_000)
        let reader = Task { () -> Failure? in
            do {
                for try await event in job.run() {
                    if case .progress = event { withUnsafeCurrentTask { $0?.cancel() } }
                }
                return nil
            } catch { return error as? Failure }
        }
        #expect(await reader.value?.kind == .interrupted)
    }
}
