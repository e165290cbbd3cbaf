import CheckpointStore
import Cohorts
import Diffusion
import Files
import Interchange
import Models
import Networks

/// Makes a snapshot of a diffusers folder (UNet2DModel), to sample from or to train on.
public struct ImportModelJob: Job {
    public var folder: String
    /// What the classes stand for, in the order of their rows: values of `attribute`, `unknown` or `null`.
    public var classes: (attribute: String, values: [String])?
    /// Height and width of the pictures where config.json has no sample_size.
    public var size: Int?
    /// Licence of the weights, and whom to name.
    public var licence = "unspecified", attributions: [String] = []
    /// The snapshot to write.
    public var output: String
    public var replaces = false

    public init(folder: String, to output: String) {
        self.folder = folder
        self.output = output
    }

    public struct Outcome: JobOutcome {
        /// The snapshot, and its digest.
        public let output, model: String
        public let parameters, width, height: Int
        /// How many; nil for a model without.
        public let classes: Int?
        fileprivate let remarks: [String]

        private enum CodingKeys: String, CodingKey { case output, model, parameters, width, height, classes }

        public var lines: [String] {
            ["\(output): \(parameters) parameters for \(width) x \(height), digest \(model)"] + remarks
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
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
                its \(classes.values.count) classes have no names; say them in another import, for sampling needs them
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
/// A model that was trained on photographs of patients leaves with a passing audit of its own, or with a reason.
public struct ExportModelJob: Job {
    public var snapshot: String
    /// Why it goes without an audit; the folder's fovea.json keeps it.
    public var unaudited: String?
    /// The folder of a passing audit of this snapshot.
    public var audit: String?
    /// A list of trust that says who is a privacy officer.
    public var trust: String?
    public var output: String
    public var replaces = false

    public init(_ snapshot: String, to output: String) {
        self.snapshot = snapshot
        self.output = output
    }

    public struct Outcome: JobOutcome {
        /// The folder, and the model's digest.
        public let output, model: String
        public let parameters: Int

        public var lines: [String] { ["\(output): \(parameters) parameters of \(model)"] }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let model = try LoadedModel(contentsOf: snapshot)
        let passed = try audit.map { try OfficerRule(trust: trust, own: nil).gate($0, model: model.digest) }
        try ModelFolder(output).write(model, audit: passed, unaudited: unaudited, force: replaces)
        return Outcome(
            output: output, model: model.digest.description, parameters: model.parameters.parameterCount)
    }
}
