import CheckpointStore
import Cohorts
import Diffusion
import Consortium
import Files
import Interchange
import Models
import Networks

/// Makes a snapshot from a diffusers folder (UNet2DModel), to sample from or to train on.
public struct ImportModelJob: Job {
    public var folder: String
    /// The meaning of the classes, in the order of their rows: values of `attribute`, `unknown` or `null`.
    public var classes: (attribute: String, values: [String])?
    /// The height and width of the pictures, in case config.json has no sample_size.
    public var size: Int?
    /// The licence of the weights, and whom to name.
    public var licence = "unspecified", attributions: [String] = []
    /// The snapshot to write.
    public var output: String
    /// Whether an output that exists may be replaced.
    public var replaces = false

    public init(folder: String, to output: String) {
        self.folder = folder
        self.output = output
    }

    public struct Outcome: JobOutcome {
        /// The snapshot's path and its digest.
        public let output, model: String
        /// The number of parameters, and the width and height of the pictures in pixels.
        public let parameters, width, height: Int
        /// The number of classes; nil for a model without classes.
        public let classes: Int?
        fileprivate let remarks: [String]

        private enum CodingKeys: String, CodingKey { case output, model, parameters, width, height, classes }

        public var lines: [String] {
            ["\(output): \(parameters) parameters for \(width) x \(height), digest \(model)"] + remarks
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        try OutputPath.requireOther(output, than: [folder])
        try StagedFile.requireWritable(output, force: replaces)
        var terms = ModelFolder.Terms()
        terms.size = size
        terms.licence = licence
        terms.attributions = attributions
        terms.classes = classes.map { ClassRows(attribute: $0.attribute, values: $0.values) }
        if let problem = terms.classes?.problem { throw Failure(.usage, option: "classes", problem) }
        let (manifest, parameters) = try ModelFolder(folder).read(terms)
        let digest = try ModelFile.write(output, manifest, parameters.fileSources(), as: .f32, force: replaces)
        let model = manifest.model
        var remarks: [String] = []
        if let classes = model.cohort.classes, classes.attribute.isEmpty {
            remarks.append(
                """
                its \(classes.values.count) classes have no names; sampling needs them, so name them in another import
                """)
        }
        if model.takesEmbedding {
            remarks.append("it takes class embeddings that the folder does not hold: they are 0 in sampling")
        }
        return Outcome(
            output: output, model: digest.description, parameters: parameters.parameterCount, width: model.width,
            height: model.height, classes: model.cohort.classes?.values.count, remarks: remarks)
    }
}

/// Writes a snapshot as a diffusers folder.
///
/// A model that was trained on photographs of patients needs a passing audit of its own, or a reason why it has none.
public struct ExportModelJob: Job {
    public var snapshot: String
    /// Why the model is exported without an audit. The folder's fovea.json keeps this reason.
    public var unaudited: String?
    /// The folder of a passing audit of this snapshot.
    public var audit: String?
    /// A list of trust that says who is a privacy officer.
    public var trust: String?
    public var output: String
    /// Whether an output that exists may be replaced.
    public var replaces = false

    public init(_ snapshot: String, to output: String) {
        self.snapshot = snapshot
        self.output = output
    }

    public struct Outcome: JobOutcome {
        /// The folder's path and the model's digest.
        public let output, model: String
        public let parameters: Int

        public var lines: [String] { ["\(output): \(parameters) parameters of \(model)"] }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let model = try LoadedModel(contentsOf: snapshot)
        try WithdrawnSites.refuse(snapshot, sites: model.manifest.sites, trust: trust)
        let passed = try audit.map { try OfficerRule(trust: trust, own: nil).gate($0, model: model.digest) }
        try ModelFolder(output).write(model, audit: passed, unaudited: unaudited, force: replaces)
        return Outcome(
            output: output, model: model.digest.description, parameters: model.parameters.parameterCount)
    }
}
