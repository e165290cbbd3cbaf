import CheckpointStore
import Files
import Foundation
import Models
import Support
import TensorCore
import TestTensors
import Testing
import Training

@Suite(.serialized) struct TrainingRunTests {
    private func bytes(_ path: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: path))
    }

    /// A training that stops after 24 of 64 images and is resumed writes the bytes of one that did not stop.
    @Test func resumedTrainingIsTheSameBitForBit() async throws {
        let phantoms = try await PhantomFolder()
        let straight = try await TrainingRun(
            folder: phantoms.folder.file("straight"), datasets: [phantoms.dataset], resume: false
        ) { _ in phantoms.settings }
        let summary = try straight.run()
        #expect(summary.imagesSeen == 64)

        let folder = phantoms.folder.file("stopped")
        let first = try await TrainingRun(folder: folder, datasets: [phantoms.dataset], resume: false) { _ in
            var settings = phantoms.settings
            settings.images = 24
            return settings
        }
        _ = try first.run()
        let second = try await TrainingRun(folder: folder, datasets: [phantoms.dataset], resume: true) { before in
            var settings = try #require(before)
            settings.images = 64
            return settings
        }
        #expect(second.trainer.state.imagesSeen == 24)
        _ = try second.run()
        for file in ["checkpoint", "snapshot", "best"] {
            let isSame = try bytes("\(straight.folder)/\(file).safetensors") == bytes("\(folder)/\(file).safetensors")
            #expect(isSame, "\(file)")
        }
        func losses(_ folder: String) throws -> [String] {
            String(decoding: try bytes(folder + "/log.jsonl"), as: UTF8.self).split(separator: "\n").map { line in
                // Speed differs; everything else must not.
                String(line).replacing(/"images_per_second":[0-9.e+-]+,/, with: "")
            }
        }
        #expect(try losses(straight.folder) == losses(folder))
    }

    @Test(.exclusivePool) func threadsDoNotChangeTheWeights() async throws {
        let phantoms = try await PhantomFolder()
        var snapshots: [Data] = []
        for threads in [1, 2] {
            ComputeEnvironment.threads = threads
            try #require(ComputeEnvironment.threads == threads)
            let run = try await TrainingRun(
                folder: phantoms.folder.file("threads-\(threads)"), datasets: [phantoms.dataset], resume: false
            ) { _ in
                var settings = phantoms.settings
                settings.images = 16
                return settings
            }
            _ = try run.run()
            snapshots.append(try bytes(run.checkpointPath))
        }
        let isSame = snapshots[0] == snapshots[1]
        #expect(isSame)
    }

    @Test func trainingLearns() async throws {
        let phantoms = try await PhantomFolder()
        var settings = phantoms.settings
        settings.images = 2400
        settings.batchSize = 8
        settings.learningRate = 2e-3
        settings.validateEveryImages = 800
        let run = try await TrainingRun(
            folder: phantoms.folder.file("run"), datasets: [phantoms.dataset], resume: false
        ) { _ in settings }
        var validation: [Double] = [], steps: [TrainingStep] = []
        _ = try run.run { event in
            switch event {
            case .validation(_, let loss, _): validation.append(loss)
            case .step(let step, _): steps.append(step)
            case .saved: break
            }
        }
        #expect(steps.count == 300)
        #expect(validation.count == 3)
        let start = steps.prefix(10).reduce(0) { $0 + $1.loss } / 10,
            end = steps.suffix(50).reduce(0) { $0 + $1.loss } / 50
        #expect(end < 0.6 * start, "loss from \(start) to \(end)")
        #expect(validation[2] < validation[0])
    }

    /// The first pictures change the fastest: a preview comes after 8, 16 and 32 images, then every 48.
    @Test func previewsComeEarly() async throws {
        let phantoms = try await PhantomFolder()
        var settings = phantoms.settings
        (settings.firstPreviewAtImages, settings.previewEveryImages, settings.validateEveryImages) = (8, 48, 1000)
        let run = try await phantoms.run("run", settings, images: 64)
        func previews() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: run.folder).filter { $0.hasPrefix("preview-") }.sorted()
        }
        #expect(try previews() == [8, 16, 32, 48].map { "preview-\($0.padded(to: 8)).png" })
        // A run that replaces this one begins without its pictures.
        _ = try await TrainingRun(folder: run.folder, datasets: [phantoms.dataset], resume: false, force: true) { _ in
            settings
        }
        #expect(try previews().isEmpty)
    }

    @Test func fewerImagesThanWereSeenAreRefused() async throws {
        let phantoms = try await PhantomFolder()
        let run = try await phantoms.run("run", phantoms.settings, images: 32)
        let before = try bytes(run.checkpointPath)
        await expectLaterFailure(.usage, "expected at least the 32 images that were seen already, found 16") {
            try await phantoms.run("run", phantoms.settings, images: 16, resume: true)
        }
        let isSame = try bytes(run.checkpointPath) == before
        #expect(isSame)
    }

    @Test func timeLimitsSaveAndStop() async throws {
        let phantoms = try await PhantomFolder()
        let run = try await TrainingRun(
            folder: phantoms.folder.file("run"), datasets: [phantoms.dataset], resume: false
        ) { _ in phantoms.settings }
        let summary = try run.run(timeLimit: .zero)
        #expect(summary.imagesSeen == 4)
        #expect(!summary.isInterrupted)
        #expect(try ModelFile.read(run.checkpointPath, kind: .checkpoint).file.manifest.imagesSeen == 4)
    }

    @Test func existingRunsAndForeignDataAreRefused() async throws {
        let phantoms = try await PhantomFolder()
        let folder = phantoms.folder.file("run")
        var settings = phantoms.settings
        settings.images = 8
        _ = try await TrainingRun(folder: folder, datasets: [phantoms.dataset], resume: false) { _ in settings }.run()
        let again = await #expect(throws: Failure.self) {
            try await TrainingRun(folder: folder, datasets: [phantoms.dataset], resume: false) { _ in settings }
        }
        #expect(again?.kind == .cannotCreateOutput)
        // Replaced on request; and a run without a checkpoint begins again, either way.
        do {
            let forced = try await TrainingRun(folder: folder, datasets: [phantoms.dataset], resume: false, force: true)
            { _ in settings }
            #expect(forced.trainer.state.imagesSeen == 0)
            #expect(!FileManager.default.fileExists(atPath: forced.checkpointPath))
        }
        for resume in [false, true] {
            let begun = try await TrainingRun(folder: folder, datasets: [phantoms.dataset], resume: resume) {
                $0 ?? settings
            }
            #expect(begun.trainer.state.imagesSeen == 0)
        }
        _ = try await TrainingRun(folder: folder, datasets: [phantoms.dataset], resume: true) { $0 ?? settings }.run()
        let others = try await PhantomFolder(seed: 6)
        let foreign = await #expect(throws: Failure.self) {
            try await TrainingRun(folder: folder, datasets: [others.dataset], resume: true) { $0 ?? settings }
        }
        #expect(foreign?.kind == .badData)
        #expect(foreign?.description.contains("training set") == true)
        let none = await #expect(throws: Failure.self) {
            try await TrainingRun(folder: phantoms.folder.file("none"), datasets: [phantoms.dataset], resume: true) {
                _ in settings
            }
        }
        #expect(none?.kind == .noSuchInput)
    }

    @Test func aLossThatIsNotFiniteStopsWithTheImage() async throws {
        let phantoms = try await PhantomFolder()
        var settings = phantoms.settings
        settings.learningRate = 1e30
        settings.warmUpImages = 0
        let run = try await TrainingRun(
            folder: phantoms.folder.file("run"), datasets: [phantoms.dataset], resume: false
        ) { _ in settings }
        let failure = #expect(throws: Failure.self) { try run.run() }
        let sentence = failure?.description ?? ""
        #expect(
            sentence.contains("not finite") && sentence.contains("step ") && sentence.contains("sigma")
                && sentence.contains("row "), "\(sentence)")
    }

    /// What leaves the site holds counts of patients, rounded to 5.
    @Test func manifestRoundsCounts() async throws {
        let phantoms = try await PhantomFolder()
        let data = TrainingData(phantoms.dataset, attributes: ["dr_icdr"])
        #expect(data.patients == 15)
        #expect(data.cohortCounts.values.allSatisfy { $0.values.allSatisfy { $0 % 5 == 0 } })
        #expect(data.site == "phantom")
    }
}
