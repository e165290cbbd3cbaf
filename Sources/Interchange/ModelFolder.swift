import CheckpointStore
import Cohorts
import Diffusion
import Files
import Foundation
import Models
import Networks
import TensorCore

/// A folder that diffusers reads and writes (`UNet2DModel.save_pretrained`), and its conversion from and to a model of
/// Fovea.
///
/// | file | what |
/// | --- | --- |
/// | `config.json` | the network |
/// | `diffusion_pytorch_model.safetensors` | its weights; read also in several files with an index, and as a variant |
/// | `scheduler_config.json` | noise levels and prediction, for models of discrete timesteps |
/// | `cohort_embedding.safetensors` | the table behind `class_embed_type: identity`, for Fovea's own models |
/// | `fovea.json` | the snapshot's manifest: what the files above cannot say |
public struct ModelFolder: Sendable {
    public let path: String

    /// The folder at `path`, which need not exist yet.
    public init(_ path: String) { self.path = path }

    static let weightsName = "diffusion_pytorch_model.safetensors"
    static let cohortName = "cohort_embedding.safetensors"

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

    /// What the user states in an import besides the folder.
    public struct Terms: Sendable {
        /// Height and width of the pictures, where the folder does not state them.
        public var size: Int?
        /// The meaning of the classes.
        public var classes: ClassRows?
        public var licence = "unspecified"
        public var attributions: [String] = []

        public init() {}
    }

    /// The folder of the network: this folder, or the folder `unet` in a pipeline.
    private func network() throws -> ModelFolder {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(.noSuchInput, path, "does not exist")
        }
        guard isFolder.boolValue else { throw Failure(.badData, path, "is a file; expected a diffusers folder") }
        for name in [".", "unet"] where has("\(name)/config.json") {
            return name == "." ? self : ModelFolder(file(name))
        }
        throw Failure(
            .noSuchInput, file("config.json"), "does not exist; expected what UNet2DModel.save_pretrained writes")
    }

    private func noise(besides network: ModelFolder) throws -> DiscreteNoise? {
        for place in [
            network.file("scheduler_config.json"), network.file("scheduler/scheduler_config.json"),
            file("scheduler/scheduler_config.json"),
        ]
        where FileManager.default.fileExists(atPath: place) {
            return try DiffusersScheduler.noise(contentsOf: place)
        }
        return nil
    }

    /// Reads the folder as a snapshot.
    ///
    /// - Throws: `Failure`: `.noSuchInput` where the folder or its `config.json` does not exist; `.badData` that names
    ///   file and key, or the tensors, where this is not such a folder or has what Fovea does not compute; `.usage`
    ///   where `terms` lack something or do not fit.
    public func read(_ terms: Terms = Terms()) throws -> (
        manifest: Manifest<ModelDescription>, parameters: ParameterMap
    ) {
        let folder = try network()
        let place = folder.file("config.json")
        let theirs = try DiffusersUNet(contentsOf: place)
        let network = try theirs.network(place)
        let own = try folder.ownManifest(network)
        var (tensors, digest, weightsFile) = try folder.weights()
        var description: ModelDescription
        if let own {
            description = own.model
            if folder.has(ModelFolder.cohortName) {
                let table = try Safetensors(contentsOf: folder.file(ModelFolder.cohortName)).tensors
                tensors.merge(table) { first, _ in first }
            }
        } else {
            description = try describe(theirs, network, try noise(besides: folder), place: place, terms)
        }
        if let classes = terms.classes {
            guard let rows = theirs.numClassEmbeds, theirs.classEmbedType == nil else {
                throw Failure(
                    .usage, place, option: "classes", expected: "a model with num_class_embeds", found: "one without")
            }
            guard rows == classes.values.count else {
                throw Failure(
                    .usage, place, option: "classes", expected: "\(rows) values, as num_class_embeds says",
                    found: "\(classes.values.count)")
            }
            description.cohort = CohortEncoding(classes: classes)
        }
        if let problem = description.problem {
            let named = ["height:", "width:"].reduce(problem) {
                $0.hasPrefix($1) ? "sample_size:" + $0.dropFirst($1.count) : $0
            }
            throw Failure(.badData, place, named)
        }
        let parameters = try ParameterMap(
            DiffusionModel(description).specifications, fileTensors: tensors, file: weightsFile)
        try parameters.requireFinite(file: weightsFile)
        var manifest =
            own
            ?? Manifest(
                kind: .snapshot, model: description, cohortSchemaVersion: CohortSchema.version, imagesSeen: 0,
                trainingData: [],
                licence: terms.licence, attributions: terms.attributions, configuration: "",
                toolVersion: ToolVersion.current)
        manifest.model = description
        manifest.parents = [digest.description] + manifest.parents
        return (manifest, parameters)
    }

    /// The manifest that Fovea wrote beside the network; nil where Fovea did not write the folder.
    private func ownManifest(_ network: UNetConfiguration) throws -> Manifest<ModelDescription>? {
        guard has("fovea.json") else { return nil }
        let place = file("fovea.json")
        let manifest = try JSONText.decode(Manifest<ModelDescription>.self, try JSONText.contents(place), place: place)
        guard manifest.model.network == network else {
            throw Failure(
                .badData, place, field: "model.network", expected: "the network of config.json",
                found: "another network")
        }
        return manifest
    }

    private func describe(
        _ theirs: DiffusersUNet, _ network: UNetConfiguration, _ noise: DiscreteNoise?, place: String, _ terms: Terms
    ) throws -> ModelDescription {
        func side(_ found: Int?) throws -> Int {
            guard let side = found ?? terms.size else {
                throw Failure(.usage, place, field: "sample_size", expected: "a size", found: "null", remedy: .size)
            }
            return side
        }
        let height, width: Int
        switch theirs.sampleSize {
        case .sides(let sides):
            guard sides.count == 2 else {
                throw Failure(
                    .badData, place, field: "sample_size", expected: "one number or two", found: "\(sides.count)")
            }
            (height, width) = (sides[0], sides[1])
        case .square(let one): (height, width) = (one, one)
        case nil: (height, width) = (try side(nil), try side(nil))
        }
        guard network.inChannels == network.outChannels,
            let space = [LatentSpace.pixels, .grey].first(where: { $0.channels == network.inChannels })
        else {
            throw Failure(
                .badData, place, field: "in_channels and out_channels",
                expected: "3 for photographs in RGB, or 1 for grey ones",
                found: "\(network.inChannels) and \(network.outChannels)")
        }
        // Without a scheduler file, diffusers' default is used.
        var preconditioning = Preconditioning(kind: .discrete)
        preconditioning.discrete = noise ?? DiscreteNoise()
        let cohort =
            theirs.classEmbedType == nil
            ? theirs.numClassEmbeds.map { [String](repeating: "", count: max(0, $0)) }.map {
                ClassRows(attribute: "", values: $0)
            } : nil
        if let problem = cohort?.problem { throw Failure(.badData, place, "num_class_embeds: \(problem)") }
        var description = ModelDescription(
            network: network, preconditioning: preconditioning, space: space, height: height, width: width,
            cohort: cohort.map { CohortEncoding(classes: $0) } ?? CohortEncoding(attributes: []))
        description.takesEmbedding = theirs.classEmbedType == "identity"
        return description
    }
}
