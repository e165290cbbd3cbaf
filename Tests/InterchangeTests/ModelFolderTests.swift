import CheckpointStore
import Diffusion
import Files
import Foundation
import Interchange
import Models
import Networks
import Support
import TensorCore
import TestTensors
import Testing

/// Diffusers folders of eleven configurations (Tools/reference/folders.py), in and out.
@Suite struct ModelFolderTests {
    static let cases = [
        "attention_everywhere", "classes", "epsilon", "fourier", "grey", "identity", "learned", "middle_groups",
        "no_attention", "one_way", "padding",
    ]

    static func folder(_ name: String, file: String = #filePath) -> String {
        URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)").path
    }

    private func fixture(_ name: String, _ part: String) throws -> Fixture {
        try Fixture(URL(fileURLWithPath: "\(ModelFolderTests.folder(name))/\(part).safetensors"))
    }

    private func nhwc(_ stored: Fixture.Stored) -> Tensor { permuted(stored.tensor, [0, 2, 3, 1]) }

    @Test(arguments: cases)
    func outputsAreThoseOfDiffusers(_ name: String) throws {
        let (manifest, parameters) = try ModelFolder(ModelFolderTests.folder(name)).read()
        let batch = try fixture(name, "batch")
        let model = DiffusionModel(manifest.model), bound = parameters.constants()
        let embedding =
            batch.tensors["class_embedding"]?.tensor
            ?? batch.tensors["labels"].flatMap { model.rows($0.values.map { Int($0) }, bound) }
        let output = model.networkOutput(
            nhwc(batch["sample"]), timesteps: batch["timesteps"].values.map { Float($0) }, embedding: embedding, bound)
        expectClose(permuted(output, [0, 3, 1, 2]), batch["output"], within: 5e-6, "output")
    }

    /// What the scheduler makes of a prediction is what the denoiser gives: noise levels, timesteps and preconditioning
    /// are right.
    @Test(arguments: cases.filter { $0 != "fourier" })
    func denoisersAreThoseOfTheScheduler(_ name: String) throws {
        let (manifest, parameters) = try ModelFolder(ModelFolderTests.folder(name)).read()
        let levels = try fixture(name, "sigmas")
        let noise = manifest.model.preconditioning.discrete, all = noise.sigmas
        #expect(all.count == noise.timesteps && zip(all, all.dropFirst()).allSatisfy { $0 < $1 })
        try #require(levels["timesteps"].values.count == levels["sigma"].values.count)
        #expect(!levels["sigma"].values.isEmpty)
        for (timestep, sigma) in zip(levels["timesteps"].values, levels["sigma"].values) {
            // diffusers adds betas up in float32.
            #expect(abs(all[Int(timestep)] / sigma - 1) <= 2e-3, "\(name): timestep \(timestep)")
            #expect(
                abs(Double(noise.timestep(Float(all[Int(timestep)]))) - timestep) <= 1e-2,
                "\(name): timestep \(timestep)")
        }
        // Between two timesteps in the logarithm.
        let middle = (all[10] * all[11]).squareRoot()
        #expect(abs(noise.timestep(Float(middle)) - 10.5) <= 1e-2)
        #expect(noise.timestep(1e-6) == 0 && noise.timestep(1e9) == Float(noise.timesteps - 1))

        guard manifest.model.cohort.classes == nil, !manifest.model.takesEmbedding else { return }
        let sigma = levels["level"].values.map { Float($0) }
        let denoised = DiffusionModel(manifest.model).denoised(
            Variable(nhwc(levels["noisy"])), sigma: sigma, cohorts: sigma.map { _ in [] }, parameters.constants())
        expectClose(permuted(denoised.tensor, [0, 3, 1, 2]), levels["denoised"], within: 1e-4, "denoised")
    }

    @Test(arguments: cases)
    func whatGoesOutIsWhatCameIn(_ name: String) throws {
        let scratch = try TemporaryFolder()
        let (manifest, parameters) = try ModelFolder(ModelFolderTests.folder(name)).read()
        let snapshot = scratch.file("snapshot.safetensors")
        try ModelFile.write(snapshot, manifest, parameters.fileSources(), as: .f32, force: false)
        let model = try LoadedModel(contentsOf: snapshot)
        let out = ModelFolder(scratch.file("out"))
        try out.write(model, unaudited: nil, force: false)

        let theirs = "\(ModelFolderTests.folder(name))/", ours = "\(out.path)/"
        func tensors(_ folder: String) throws -> [String: Tensor] {
            try Safetensors(contentsOf: folder + "diffusion_pytorch_model.safetensors").tensors
        }
        let before = try tensors(theirs), after = try tensors(ours)
        #expect(Set(before.keys) == Set(after.keys))
        for (path, tensor) in before {
            #expect(after[path].map { $0.shape == tensor.shape && $0.elements == tensor.elements } == true, "\(path)")
        }

        func json(_ path: String) throws -> [String: NSObject] {
            try #require(
                JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: NSObject])
        }
        let given = try json(theirs + "config.json"), written = try json(ours + "config.json")
        #expect(written.count >= 20)
        for (key, value) in written { #expect(given[key] == value, "\(key)") }
        let scheduler = try json(theirs + "scheduler_config.json")
        for (key, value) in try json(ours + "scheduler_config.json") { #expect(scheduler[key] == value, "\(key)") }

        // And in again: the same model, of the first one's descent.
        let again = try out.read()
        #expect(again.manifest.model == manifest.model)
        #expect(again.manifest.parents.contains(model.digest.description))
        expectFailure(.cannotCreateOutput, "exists already") {
            try out.write(model, unaudited: nil, force: false)
        }
    }

    @Test func cohortsOfAModelOfOursComeBack() throws {
        let scratch = try TemporaryFolder()
        var network = UNetConfiguration(blockOutChannels: [8, 16], attentionLevels: [false, true])
        network.normGroups = 4
        network.layersPerBlock = 1
        network.inChannels = 48
        network.outChannels = 48
        let description = ModelDescription(
            network: network, preconditioning: Preconditioning(channelDeviations: (1...48).map { 1 / Float($0) }),
            space: .wavelet(levels: 2),
            height: 32, width: 64,
            cohort: CohortEncoding(attributes: ["dr_icdr", "camera"], openNames: ["camera": ["a", "b"]]))
        func snapshot(_ name: String, synthetic: Bool?) throws -> LoadedModel {
            let data = TrainingData(
                digest: "00", site: "here", licence: "CC0-1.0", source: "", cohortCounts: [:], patients: 5,
                synthetic: synthetic)
            let manifest = Manifest(
                kind: .snapshot, model: description, cohortSchemaVersion: 1, imagesSeen: 7, trainingData: [data],
                licence: "CC0-1.0",
                attributions: ["somebody"], configuration: "", toolVersion: "1")
            let parameters = ParameterMap(DiffusionModel(description).specifications, seed: 3)
            try ModelFile.write(scratch.file(name), manifest, parameters.fileSources(), as: .f32, force: false)
            return try LoadedModel(contentsOf: scratch.file(name))
        }
        let model = try snapshot("drawn.safetensors", synthetic: true)
        try ModelFolder(scratch.file("drawn")).write(model, unaudited: nil, force: false)
        let (manifest, parameters) = try ModelFolder(scratch.file("drawn")).read()
        #expect(
            manifest.model == description && manifest.imagesSeen == 7
                && manifest.trainingData == model.manifest.trainingData)
        expectSame(parameters.tensors, model.parameters.tensors)

        // Weights that saw patients go with a reason, or not at all.
        for synthetic in [nil, false] {
            let patients = try snapshot(
                "patients-\(synthetic.map { "\($0)" } ?? "nil").safetensors", synthetic: synthetic)
            let folder = ModelFolder(scratch.file("patients-\(synthetic.map { "\($0)" } ?? "nil")"))
            let failure = #expect(throws: Failure.self) { try folder.write(patients, unaudited: " ", force: false) }
            #expect(failure?.kind == .notPermitted && failure?.description.contains("here") == true)
            #expect(!FileManager.default.fileExists(atPath: folder.path))
            try folder.write(patients, unaudited: "a test", force: false)
            #expect(try folder.read().manifest.unaudited == "a test")
        }
        // The manifest beside the weights must be of this network.
        let place = scratch.file("drawn/config.json")
        let text = try String(contentsOfFile: place, encoding: .utf8).replacingOccurrences(
            of: "\"norm_num_groups\" : 4", with: "\"norm_num_groups\" : 2")
        try Data(text.utf8).write(to: URL(fileURLWithPath: place))
        let other = #expect(throws: Failure.self) { try ModelFolder(scratch.file("drawn")).read() }
        #expect(other?.description.contains("model.network") == true)
    }

    /// A pipeline's folder, and attention under the names that diffusers used until 2023.
    @Test func pipelinesAndOldNamesAreRead() throws {
        let scratch = try TemporaryFolder(), files = FileManager.default
        let source = ModelFolderTests.folder("padding")
        let expected = try ModelFolder(source).read()
        for name in ["unet", "scheduler"] {
            try files.createDirectory(atPath: scratch.file(name), withIntermediateDirectories: true)
        }
        try files.copyItem(atPath: source + "/config.json", toPath: scratch.file("unet/config.json"))
        try files.copyItem(
            atPath: ModelFolderTests.folder("no_attention") + "/scheduler_config.json",
            toPath: scratch.file("scheduler/scheduler_config.json"))
        var weights = try Safetensors(contentsOf: source + "/diffusion_pytorch_model.safetensors")
        let old = [("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")]
        weights.tensors = Dictionary(
            uniqueKeysWithValues: weights.tensors.map { key, tensor in
                (old.reduce(key) { $0.replacingOccurrences(of: $1.0, with: $1.1) }, tensor)
            })
        #expect(weights.tensors.keys.contains { $0.contains("proj_attn") })
        try scratch.write(weights.encoded(as: .f32), "unet/diffusion_pytorch_model.safetensors")
        let (manifest, parameters) = try ModelFolder(scratch.path).read()
        expectSame(parameters.tensors, expected.parameters.tensors)
        #expect(manifest.model.network == expected.manifest.model.network)
        #expect(manifest.model.preconditioning.discrete.prediction == .velocity)
        // Both names at once are not one of them, whichever comes first.
        weights.tensors["mid_block.attentions.0.to_q.weight"] = weights.tensors["mid_block.attentions.0.query.weight"]
        try scratch.write(weights.encoded(as: .f32), "unet/diffusion_pytorch_model.safetensors")
        let failure = #expect(throws: Failure.self) { try ModelFolder(scratch.path).read() }
        #expect(failure?.description.contains("unexpected: mid_block.attentions.0.query.weight") == true)
    }

    /// A fourier embedding takes the timestep's logarithm: sampling ends before timestep 0.
    @Test func fourierModelsAreSampledWhereTheyAreFinite() throws {
        let (manifest, parameters) = try ModelFolder(ModelFolderTests.folder("fourier")).read()
        let model = DiffusionModel(manifest.model), x = Variable(randomTensor([1, 16, 16, 3], seed: 1))
        for sigma in [manifest.model.sampledSigmas.lowerBound, manifest.model.sampledSigmas.upperBound] {
            #expect(
                model.denoised(x, sigma: [sigma], cohorts: [[]], parameters.constants()).tensor.isFinite,
                "sigma \(sigma)")
        }
    }

    @Test func forceReplacesNothingButExports() throws {
        let scratch = try TemporaryFolder()
        let (manifest, parameters) = try ModelFolder(ModelFolderTests.folder("epsilon")).read()
        try ModelFile.write(scratch.file("s.safetensors"), manifest, parameters.fileSources(), as: .f32, force: false)
        let model = try LoadedModel(contentsOf: scratch.file("s.safetensors"))
        try scratch.write("mine".utf8, "home/letter.txt")
        let failure = #expect(throws: Failure.self) {
            try ModelFolder(scratch.file("home")).write(model, unaudited: nil, force: true)
        }
        #expect(failure?.kind == .cannotCreateOutput)
        #expect(FileManager.default.contents(atPath: scratch.file("home/letter.txt")) == Data("mine".utf8))
        for _ in 0..<2 { try ModelFolder(scratch.file("out")).write(model, unaudited: nil, force: true) }
        #expect(try ModelFolder(scratch.file("out")).read().manifest.model == manifest.model)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted() == [
                "home", "out", "s.safetensors",
            ])
    }

    @Test func classesAreAskedForByName() throws {
        var terms = ModelFolder.Terms()
        terms.classes = ClassRows(attribute: "dr_icdr", values: ["0", "1", "2", "4", "", "unknown", "null"])
        let (manifest, _) = try ModelFolder(ModelFolderTests.folder("classes")).read(terms)
        let cohort = manifest.model.cohort
        #expect(cohort.attributes == ["dr_icdr"] && cohort.rowCount == 7)
        func row(_ value: CohortEncoding.Value) -> [Float] { cohort.coefficients([[value]]).elements }
        #expect(row(.code(2)) == [0, 0, 1, 0, 0, 0, 0])
        #expect(row(.code(4)) == [0, 0, 0, 1, 0, 0, 0])
        #expect(row(.position(1.25)) == [0, 0.75, 0.25, 0, 0, 0, 0])
        #expect(row(.unknown) == [0, 0, 0, 0, 0, 1, 0] && row(.null) == [0, 0, 0, 0, 0, 0, 1])
        // Without a class for nothing asked, the mean.
        let bare = CohortEncoding(classes: ClassRows(attribute: "dr_icdr", values: ["0", "1", "2", "3"]))
        #expect(bare.coefficients([[.null]]).elements == [0.25, 0.25, 0.25, 0.25])
        for (values, word) in [(["0", "1"], "7 values"), (["0", "1", "2", "4", "", "unknown", "nothing"], "nothing")] {
            var terms = ModelFolder.Terms()
            terms.classes = ClassRows(attribute: "dr_icdr", values: values)
            if let problem = terms.classes?.problem { #expect(problem.contains(word)); continue }
            let failure = #expect(throws: Failure.self) {
                try ModelFolder(ModelFolderTests.folder("classes")).read(terms)
            }
            #expect(failure?.description.contains(word) == true)
        }
    }
}
