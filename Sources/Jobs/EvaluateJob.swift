import Auditing
import Evaluating
import EvaluationPages
import Figures
import Files
import Foundation
import Usefulness

/// Says whether synthetic pictures help a classifier, for whom and by how much; whether they show what was asked; and
/// how far they are from photographs.
public struct EvaluateJob: Job {
    /// A sample set, or a data set of synthetic pictures that another program made.
    public var samples: String
    /// The data set whose train split the generator learned from.
    public var train: String
    /// Data sets of other sites, whose photographs nobody trained on.
    public var tests: [String] = []
    /// The attribute that the classifier is to tell.
    public var task: String
    /// The values that count as cases; empty for each value as a class of its own.
    public var positive: [String] = []
    /// Up to three attributes whose values are looked at one by one.
    public var by: [String] = []
    /// Files of features that another program computed from the pictures.
    public var features: [String] = []
    /// The parts to do: `fidelity`, `anatomy`, `usefulness`, `obedience`; nil for all.
    public var parts: [String]?
    /// The trainings of each way to train.
    public var seeds = 5
    /// The width and height in pixels at which pictures are classified.
    public var size = 64
    /// The optimizer's steps of each training.
    public var steps = 600
    /// The names of the ways to train, such as `augmented`; nil for all.
    public var arms: [String]?
    /// How many synthetic pictures are added for each photograph; nil for a quarter, a half and all of them.
    public var doses: [Double]?
    /// The folder to write.
    public var output: String
    /// Whether an evaluation that was stopped goes on.
    public var resumes = false
    /// Whether an output that exists may be replaced.
    public var replaces = false

    public init(_ samples: String, train: String, task: String, to output: String) {
        (self.samples, self.train, self.task, self.output) = (samples, train, task, output)
    }

    public var inputs: [JobInput] {
        [JobInput(samples, .auditedPictures, setting: nil), JobInput(train, .dataset, setting: "train")]
            + tests.map { JobInput($0, .dataset, setting: "test") }
            + features.map { JobInput($0, .features, setting: "features") }
    }

    public var outputs: [JobOutput] { [JobOutput(output, .folder)] }

    public struct Outcome: JobOutcome {
        public let output: String
        /// One sentence for each test set.
        public let verdicts: [String]
        /// One sentence for each attribute that was asked for.
        public let obedience: [String]
        public let seconds: Double

        public var lines: [String] {
            verdicts + obedience + [
                "\(output)/\(EvaluationFolder.page): the figures; \(output)/\(EvaluationFolder.figures)"
            ]
        }
    }

    public func validate() throws {
        if !by.isEmpty { try CohortNames.require(by) }
        let settings = try settings()
        try settings.validate()
        if !features.isEmpty, !settings.parts.contains(.fidelity) {
            throw Failure(
                .usage, option: "features", expected: "the part fidelity, which they are for",
                found: settings.parts.map(\.rawValue).joined(separator: ", "))
        }
    }

    private func settings() throws -> EvaluationSettings {
        var settings = EvaluationSettings()
        if let parts {
            settings.parts = try parts.map { name in
                guard let part = EvaluationSettings.Part(rawValue: name) else {
                    throw Failure(
                        .usage, option: "parts",
                        expected: EvaluationSettings.Part.allCases.map(\.rawValue).joined(separator: ", "),
                        found: "\"\(name)\"")
                }
                return part
            }
        }
        (settings.seeds, settings.size, settings.steps) = (seeds, size, steps)
        settings.arms = arms ?? []
        settings.doses = Set(doses ?? []).sorted()
        return settings
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let started = ContinuousClock.now
        for name in [EvaluationFolder.page, EvaluationFolder.figures]
        where FileManager.default.fileExists(atPath: "\(output)/\(name)") {
            try StagedFile.requireWritable("\(output)/\(name)", force: replaces)
        }
        var inputs = EvaluationInputs(
            samples: try await AuditSource(samples), train: try await dataset(train), tests: [], attribute: task)
        for test in tests { inputs.tests.append(try await dataset(test)) }
        (inputs.positive, inputs.by, inputs.settings) = (positive, by, try settings())
        inputs.features = try givenFeatures()
        let work = "\(output)/private", isNew = !FileManager.default.fileExists(atPath: output)
        try EvaluateJob.makeFolder(work)
        let lock = try FolderLock(work)
        // Where nothing was begun, nothing stays behind.
        defer {
            lock.release()
            rmdir(work)
            if isNew { rmdir(output) }
        }
        let run = EvaluationRun(inputs) {
            report.note($0)
        } progress: {
            report.progress($0, "%", Int(100 * $1), of: 100, detail: $2)
        }
        let record = try await run.run(folder: work, resumes: resumes, replaces: replaces)
        let page = EvaluationPage(record).html.source, figures = try JSONText.encoded(record)
        let staged = try [(EvaluationFolder.figures, figures), (EvaluationFolder.page, page)].map { name, text in
            let staged = try StagedFile("\(output)/\(name)", force: replaces)
            try staged.write(Data(text.utf8))
            return staged
        }
        for file in staged { try file.commit() }
        return Outcome(
            output: output,
            verdicts: record.usefulness.map { figures in figures.tests.map { $0.sentence(figures.task) } } ?? [],
            obedience: (record.obedience ?? []).map(\.sentence),
            seconds: (ContinuousClock.now - started) / .seconds(1))
    }

    private func givenFeatures() throws -> [GivenFeatures] {
        try features.reduce(into: []) { all, path in
            let next = try GivenFeatures(path)
            if let same = all.first(where: { $0.name == next.name }) {
                throw Failure(
                    .usage, path, option: "features", expected: "a name that no other file has",
                    found: "\(next.name), as in \(same.path)")
            }
            all.append(next)
        }
    }

    private func dataset(_ path: String) async throws -> AuditSource {
        let source = try await AuditSource(path)
        guard case .dataset = source.content else {
            throw Failure(.badData, path, field: "kind", expected: "a data set", found: "another file")
        }
        return source
    }

    private static func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(.cannotCreateOutput, path, "could not be made: \(SystemReason.text(error))")
        }
    }
}
