import CheckpointStore
import Cohorts
import Diffusion
import Files
import Foundation
import Models
import Networks
import Support
import TensorCore
import TestTensors
import Testing
import Training

/// A training that adds attributes to its base.
@Suite(.serialized) struct ExtendedBaseTests {
    private let phantoms: PhantomFolder
    /// A snapshot of grades alone, trained a little.
    private let base: LoadedModel

    init() async throws {
        phantoms = try await PhantomFolder()
        var settings = phantoms.settings
        settings.attributes = ["dr_icdr"]
        let run = try await phantoms.run("base", settings)
        base = try LoadedModel(contentsOf: run.snapshotPath)
    }

    private func settings(
        _ attributes: [String] = ["laterality"], full: Bool = false, rate: Double = 1e-2
    ) -> TrainingConfiguration {
        var settings = phantoms.settings
        settings.start(from: base)
        (settings.extendsBase, settings.attributes, settings.learningRate) = (true, attributes, rate)
        (settings.snapshotType, settings.warmUpImages, settings.tunesEverything) = (.f32, 0, full)
        return settings
    }

    private func table(_ model: LoadedModel) throws -> Tensor {
        let number = try #require(
            model.parameters.specifications.firstIndex { $0.path == DiffusionModel.cohortPath })
        return model.parameters.tensors[number]
    }

    /// The picture that the model denoises from the same noise for one eye or the other.
    private func denoised(_ model: LoadedModel, _ request: [CohortEncoding.Value]) -> [Float] {
        let noisy = randomTensor([1, 16, 16, 3], seed: 4)
        return ModelDenoiser(model.model, model.parameters.constants(), cohorts: [request]).denoised(noisy, sigma: 1)
            .elements
    }

    @Test func anAddedAttributeIsTrainedAndTheBasesOwnNumbersStay() async throws {
        let run = try await phantoms.run("extended", settings(), images: 64)
        let model = try LoadedModel(contentsOf: run.snapshotPath)
        #expect(model.manifest.model.cohort.attributes == ["dr_icdr", "laterality"])
        #expect(run.notes.first == "laterality: added to the base, which knows dr_icdr")
        #expect(run.notes.dropFirst().allSatisfy { $0.contains("ignored") && !$0.contains("laterality") })
        // The rows of grades keep their bits; those of the eyes have moved from zero.
        let old = try table(base), new = try table(model), width = old.shape[1]
        #expect(new.shape == [old.shape[0] + 4, width])
        #expect(Array(new.elements.prefix(old.count)) == old.elements)
        let rows = new.elements.suffix(4 * width)
        #expect(rows.map(abs).max() ?? 0 > 1e-3)
        // Whatever no adapter changes is the base's: biases, norms, embeddings of noise levels.
        let changed = zip(base.parameters.specifications, base.parameters.tensors).filter { specification, tensor in
            guard let own = model.parameters.specifications.firstIndex(where: { $0.path == specification.path }) else {
                return true
            }
            return model.parameters.tensors[own].elements != tensor.elements
        }.map(\.0)
        #expect(changed.allSatisfy { $0.layout != .plain || $0.path == DiffusionModel.cohortPath })
        let left = denoised(model, [.code(2), .code(0)]), right = denoised(model, [.code(2), .code(1)])
        #expect(relativeDifference(left.map(Double.init), right.map(Double.init)) > 1e-3)
    }

    /// Before the first step of any length, the extended model is the base, and so it is for every attribute of it.
    @Test func anExtensionStartsFromTheBase() async throws {
        for full in [false, true] {
            let run = try await phantoms.run("start-\(full)", settings(full: full, rate: 1e-30), images: 8)
            let model = try LoadedModel(contentsOf: run.snapshotPath)
            let own = denoised(model, [.code(2), .code(1)]), old = denoised(base, [.code(2)])
            #expect(relativeDifference(own.map(Double.init), old.map(Double.init)) <= 1e-6, "\(full)")
        }
    }

    @Test func anExtensionIsResumedToTheSameBytes() async throws {
        let whole = try await phantoms.run("whole", settings(), images: 32)
        _ = try await phantoms.run("stopped", settings(), images: 16)
        let stopped = try await phantoms.run("stopped", settings(), images: 32, resume: true)
        #expect(try Digest(ofFile: stopped.snapshotPath) == Digest(ofFile: whole.snapshotPath))
        let adapters = try [whole, stopped].map { try Digest(ofFile: $0.folder + "/snapshot.adapter.safetensors") }
        #expect(adapters[0] == adapters[1])
    }

    /// The adapter's file has the new rows, and cannot be mixed into a base that lacks them.
    @Test func anExtendedAdapterIsNotMixedIntoItsBase() async throws {
        let run = try await phantoms.run("adapter", settings(), images: 8)
        let path = run.folder + "/snapshot.adapter.safetensors"
        let (file, _) = try ModelFile.read(path, kind: .adapter)
        #expect(file.tensors[AddedRows.path(of: DiffusionModel.cohortPath)]?.shape[0] == 4)
        expectFailure(.badData, "attributes that the base lacks") { try base.mixing([("here", path, 1)]) }
    }

    @Test func whatIsIgnoredIsSaidAtOnce() async throws {
        var settings = phantoms.settings
        settings.start(from: base)
        let run = try await phantoms.run("ignored", settings, images: 4)
        #expect(run.notes.count == 1)
        #expect(run.notes.first?.contains("laterality") == true)
        #expect(run.notes.first?.contains("ignored") == true)
    }

    @Test func anExtensionByNothingIsRefused() async throws {
        await expectLaterFailure(.usage, "no attribute and no value that the base lacks") {
            try await phantoms.run("nothing", settings(["dr_icdr"]), images: 4)
        }
        #expect(!FileManager.default.fileExists(atPath: phantoms.folder.file("nothing")))
    }

    @Test func encodingsExtendEachOther() {
        let small = CohortEncoding(attributes: ["camera", "dr_icdr"], openNames: ["camera": ["a"]])
        let large = small.extended(
            by: CohortEncoding(attributes: ["sex", "camera"], openNames: ["camera": ["b", "a"]]))
        #expect(large.attributes == ["camera", "dr_icdr", "sex"])
        #expect(large.openNames == ["camera": ["a", "b"]])
        #expect(large.extends(small))
        #expect(!small.extends(large))
        #expect(!CohortEncoding(attributes: ["dr_icdr", "camera"], openNames: ["camera": ["a"]]).extends(small))
        // A name in the middle moves the rows behind it.
        let description = ModelDescription(
            network: Preset.tiny.configuration, height: 16, width: 16, cohort: large)
        #expect(DiffusionModel(description).addedRows(to: small)?.rows == [3] + Array(9..<14))
    }
}
