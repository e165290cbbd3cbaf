import Auditing
import CheckpointStore
import Consortium
import Datasets
import SampleStore
import Files
import Foundation
import Models
import Verdicts

/// Tests samples, and the model that made them, for memorised patients.
///
/// The output's folder `public/` holds the verdict and aggregates. Its folder `private/` shows patients and never
/// leaves the site.
public struct AuditJob: Job {
    /// A model that was overfitted on purpose, which the tests must catch.
    public enum Control: Sendable {
        /// Make an overfitted twin within the policy's budget.
        case make
        /// A snapshot of an overfitted model, or a sample set or folder of its pictures.
        case given(String)
    }

    /// A sample set, or a folder of pictures; nil draws the policy's number of samples from the model.
    public var samples: String?
    /// The photographs that the model may have learned from: the train split of a data set, or a folder.
    public var train: String
    /// Photographs of patients that the model never saw; nil takes the data set's own holdout split.
    public var holdout: String?
    /// The snapshot that made the samples. It is needed for membership inference.
    public var model: String?
    /// A snapshot that never saw the training patients, such as the base. It sharpens membership inference.
    public var reference: String?
    /// A model of the same recipe that was trained with canaries, and the phantoms that are these canaries.
    public var canaryModel, canaries: String?
    /// The positive control; without it, no audit passes.
    public var control: Control?
    /// A YAML file with limits that differ from the usual ones.
    public var policy: String?
    /// The site's private key, under which a parcel names the site's training set. With it, the audit can tell whether
    /// samples of a merged model learned from that set.
    public var siteKey: String?
    /// The width and height in pixels at which pictures are compared. Nil takes those of the samples, or 256 for
    /// folders.
    public var size: Int?
    /// The folder to write.
    public var output: String
    /// Whether an output that exists may be replaced.
    public var replaces = false

    public init(samples: String?, train: String, to output: String) {
        self.samples = samples
        self.train = train
        self.output = output
    }

    public struct Outcome: JobOutcome {
        /// `pass`, `fail` or `no-power`.
        public let verdict: String
        /// The reasons of the verdict, one sentence each.
        public let reasons: [String]
        public let output: String
        public let samples: Int
        public let seconds: Double
        /// The limits of the audit that are weaker than the defaults.
        public let weakerLimits: [String]
        fileprivate let flagged: [FlaggedSample]
        fileprivate let tests: [String: AuditSummary.Test]
        fileprivate let summary: [String]

        /// The rows of the samples that may be copies of a patient.
        public var flaggedSamples: [Int] { flagged.map(\.index) }

        private enum CodingKeys: String, CodingKey {
            case verdict, reasons, output, samples, seconds, weakerLimits, flagged, tests
        }

        public var lines: [String] {
            ["\(verdict): \(reasons.joined(separator: "; "))"] + weakerLimits.map { "a weaker limit: \($0)" } + summary
                + [
                    """
                    \(output)/public/audit.html: the verdict and what it rests on; \(output)/private shows patients \
                    and stays here
                    """,
                    "nobody has signed this audit yet; a privacy officer reads it and signs it",
                ]
        }

        public var refusal: Failure? {
            verdict == Verdict.Outcome.pass.rawValue
                ? nil : Failure(.checkFailed, output, "the verdict is \(verdict): \(reasons[0])")
        }
    }

    public func validate() throws {
        if samples == nil, model == nil {
            throw Failure(.usage, nil, "expected samples, or a model to draw them from")
        }
        if (canaryModel == nil) != (canaries == nil) {
            throw Failure(
                .usage, option: canaries == nil ? "canaries" : "canaryModel",
                "a model with canaries and the phantoms that are its canaries go together, but one is missing")
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let folder = AuditFolder(output), started = ContinuousClock.now
        try folder.requireWritable(force: replaces)
        let inputs = try await inputs()
        if let model, let sites = inputs.model?.manifest.sites,
            let notice = WithdrawnSites.notice(model, sites: sites, trust: nil)
        {
            report.warn(notice)
        }
        let lacks = lacks(inputs)
        if !lacks.isEmpty {
            report.note("this audit cannot pass: \(lacks.joined(separator: "; ")). It goes on and measures the rest")
        }
        let work = output + ".work"
        try AuditJob.makePrivate(work)
        // Two audits with one output would mix their files.
        let lock = try FolderLock(work)
        // An interrupted audit keeps its files there; only an empty folder is removed.
        defer {
            lock.release()
            rmdir(work)
        }
        let run = AuditRun(inputs, workFolder: work) {
            report.note($0)
        } progress: {
            report.progress("audit: \($0)", "%", Int(100 * $1), of: 100)
        }
        let ledger = AuditLedger(for: train)
        let result = try await run.run(ledger: ledger)
        let audit = try folder.write(result, date: Day.text(Date()))
        if try !ledger.append(audit) {
            report.note("\(ledger.path) could not be written: a later audit of this model will not list this one")
        }
        try? FileManager.default.removeItem(atPath: work)
        let summary = AuditSummary(audit)
        return Outcome(
            verdict: audit.verdict.outcome.rawValue, reasons: audit.verdict.reasons, output: output,
            samples: audit.figures.samples.count, seconds: (ContinuousClock.now - started) / .seconds(1),
            weakerLimits: audit.figures.policy.weakerLimits,
            flagged: result.flagged, tests: summary.tests, summary: summary.lines)
    }

    /// What keeps the audit from a pass and is known before it starts.
    private func lacks(_ inputs: AuditRun.Inputs) -> [String] {
        var lacks: [String] = []
        if inputs.model == nil, inputs.policy.membershipLeftOut.isEmpty { lacks.append("the model was not given") }
        if inputs.control == nil { lacks.append("there is no positive control") }
        let needed = inputs.policy.samplesNeeded
        if let count = inputs.samples?.count, count < needed {
            lacks.append("\(count) samples are too few, and at least \(needed) are needed")
        }
        return lacks
    }

    private func inputs() async throws -> AuditRun.Inputs {
        var inputs = AuditRun.Inputs(train: try await AuditSource(train))
        inputs.policy = try policy.map { try AuditPolicy(contentsOf: $0) } ?? AuditPolicy()
        inputs.siteKey = try siteKey.map { try SigningKey(contentsOf: $0) }
        inputs.size = size
        if let samples { inputs.samples = try await AuditSource(samples) }
        if let holdout { inputs.holdout = try await AuditSource(holdout) }
        inputs.model = try model.map { try LoadedModel(contentsOf: $0) }
        if let canaryModel, let canaries {
            inputs.canaries = (try LoadedModel(contentsOf: canaryModel), try await DatasetFile.open(canaries))
        }
        inputs.reference = try reference.map { try LoadedModel(contentsOf: $0) }
        switch control {
        case nil: break
        case .make: inputs.control = .make
        case .given(let path):
            try await AuditRun.requireControl(path)
            inputs.control = .given(path)
        }
        return inputs
    }

    private static func makePrivate(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(.cannotCreateOutput, path, "could not be made: \(SystemReason.text(error))")
        }
    }
}
