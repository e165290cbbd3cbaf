import CheckpointStore
import Files
import Foundation
import Models
import Networks
import Support
import TestTensors
import Testing
import Training

@Suite(.serialized) struct FineTuningTests {
    private let phantoms: PhantomFolder
    /// A snapshot that was trained a little.
    private let base: LoadedModel

    init() async throws {
        phantoms = try await PhantomFolder()
        let settings = phantoms.settings
        let run = try await TrainingRun(
            folder: phantoms.folder.file("base"), datasets: [phantoms.dataset], resume: false
        ) { _ in settings }
        _ = try run.run()
        base = try LoadedModel(contentsOf: run.snapshotPath)
    }

    /// The library refuses what the command line does, and leaves no folder.
    @Test func aBaseWhosePermissionsEndedIsRefused() async throws {
        var manifest = base.manifest
        manifest.permissions = Permissions(purposes: ["DUO:0000042"], expires: "2020-01-31")
        let path = phantoms.folder.file("ended.safetensors"), folder = phantoms.folder.file("refused")
        try ModelFile(manifest: manifest, tensors: base.parameters.fileTensors()).write(path, as: .f32, force: false)
        var settings = TrainingConfiguration()
        settings.start(from: try LoadedModel(contentsOf: path))
        await #expect(throws: Failure(.notPermitted, path, "its permissions ended on 2020-01-31")) {
            try await TrainingRun(folder: folder, datasets: [phantoms.dataset], resume: false) { _ in settings }
        }
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    private func settings(_ change: (inout TrainingConfiguration) -> Void) -> TrainingConfiguration {
        var settings = phantoms.settings
        settings.start(from: base)
        change(&settings)
        return settings
    }

    private func tune(_ name: String, _ change: (inout TrainingConfiguration) -> Void) async throws -> TrainingRun {
        let wanted = settings(change)
        let run = try await TrainingRun(folder: phantoms.folder.file(name), datasets: [phantoms.dataset], resume: false)
        { _ in wanted }
        _ = try run.run()
        return run
    }

    private func largestDifference(_ a: LoadedModel, _ b: LoadedModel) -> Float {
        TestTensors.largestDifference(
            a.parameters.tensors.flatMap(\.elements), b.parameters.tensors.flatMap(\.elements))
    }

    /// Steps of no length leave the base's exact weights, whatever is trained.
    @Test func tuningStartsFromTheBase() async throws {
        for kind in ["ffa", "lora", "full"] {
            let run = try await tune("start-\(kind)") {
                $0.adapter.kind = AdapterKind(rawValue: kind) ?? .ffa
                $0.tunesEverything = kind == "full"
                $0.learningRate = 1e-30
                $0.images = 8
            }
            let tuned = try LoadedModel(contentsOf: run.snapshotPath)
            #expect(tuned.parameters.specifications == base.parameters.specifications)
            #expect(largestDifference(tuned, base) == 0, "\(kind)")
        }
    }

    @Test func adaptersAreSmallAndMixToWhatWasTrained() async throws {
        let run = try await tune("ffa") {
            $0.learningRate = 1e-2
            $0.images = 64
        }
        let tuned = try LoadedModel(contentsOf: run.snapshotPath)
        let moved = largestDifference(tuned, base)
        #expect(moved > 1e-3, "\(moved)")
        let path = run.folder + "/snapshot.adapter.safetensors"
        let mixed = try base.mixing([("here", path, 1)])
        // Both files hold half-precision numbers.
        #expect(largestDifference(mixed, tuned) <= 2e-3)
        let half = try base.mixing([("here", path, 0.5)])
        let halfway = largestDifference(half, base) / moved
        #expect(abs(halfway - 0.5) <= 0.02, "\(halfway)")
        #expect(try largestDifference(base.mixing([("here", path, 0)]), base) == 0)
        #expect(mixed.mixture.map(\.sites) == [["phantom"]])
        #expect(Set([mixed.digest, half.digest, base.digest]).count == 3)
        #expect(try base.mixing([("other name", path, 1)]).digest == mixed.digest)
        let manifest = try ModelFile.read(path, kind: .adapter).file.manifest
        #expect(manifest.parents == [base.digest.description])
        #expect(manifest.trainingData.count == 1)
        #expect(tuned.manifest.trainingData.count == 2)
        // A file that is shared does not say where the base lay.
        #expect(try !manifest.json().contains(phantoms.folder.file("base")))
    }

    @Test func tuningResumesBitForBit() async throws {
        let straight = try await tune("straight") { $0.images = 48 }
        let folder = phantoms.folder.file("stopped")
        for images in [16, 48] {
            let wanted = settings { $0.images = images }
            let run = try await TrainingRun(folder: folder, datasets: [phantoms.dataset], resume: images == 48) {
                before in
                var settings = before ?? wanted
                settings.images = images
                return settings
            }
            _ = try run.run()
        }
        for file in ["checkpoint", "snapshot", "snapshot.adapter"] {
            let isSame = FileManager.default.contentsEqual(
                atPath: "\(straight.folder)/\(file).safetensors", andPath: "\(folder)/\(file).safetensors")
            #expect(isSame, "\(file)")
        }
    }

    @Test func foreignAdaptersAreRefused() async throws {
        let run = try await tune("ffa") { $0.images = 4 }
        let path = run.folder + "/snapshot.adapter.safetensors"
        let other = try LoadedModel(contentsOf: run.snapshotPath)
        let failure = #expect(throws: Failure.self) { try other.mixing([("here", path, 1)]) }
        #expect(failure?.kind == .badData)
        #expect(
            failure?.description.contains("base: expected \(other.digest), found \(base.digest)") == true,
            "\(failure?.description ?? "")")
        let kind = #expect(throws: Failure.self) { try base.mixing([("here", run.snapshotPath, 1)]) }
        #expect(kind?.description.contains("fovea.adapter") == true)
        var file = try Safetensors(contentsOf: path)
        let name = try #require(file.tensors.keys.sorted().first)
        file.tensors[name] = nil
        let broken = phantoms.folder.file("broken.safetensors")
        try file.encoded(as: .f16).write(to: URL(fileURLWithPath: broken))
        let missing = #expect(throws: Failure.self) { try base.mixing([("here", broken, 1)]) }
        #expect(missing?.description.contains("missing: \(name)") == true)
    }

    /// Another base under the same path is not gone on with.
    @Test func anotherBaseIsRefusedOnResume() async throws {
        let run = try await tune("run") { $0.images = 8 }
        let other = try await tune("other") { ($0.images, $0.learningRate) = (4, 1e-2) }
        try FileManager.default.removeItem(atPath: base.path)
        try FileManager.default.copyItem(atPath: other.snapshotPath, toPath: base.path)
        let failure = await #expect(throws: Failure.self) {
            try await TrainingRun(folder: run.folder, datasets: [phantoms.dataset], resume: true) { try #require($0) }
        }
        #expect(failure?.description.contains("base: expected \(base.digest)") == true, "\(failure?.description ?? "")")
    }
}
