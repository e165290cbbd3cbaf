import CheckpointStore
import Consortium
import Diffusion
import Files
import Models
import SampleStore
import Sampling

/// Samples synthetic photographs into a sample set, with provenance and a contact sheet.
///
/// The permissions of the model's sites are checked before the first sample is made.
public struct SampleJob: Job {
    /// Which samples to make.
    public enum Wish: Sendable {
        /// This number of samples, for the cohorts in turn, each a text such as `attribute=value,...`. Without cohorts,
        /// every attribute is left open.
        case count(Int, cohorts: [String])
        /// A table with a column `count` and one for each attribute.
        case plan(String)
    }

    /// Where the noise comes from.
    public enum Seed: Sendable {
        /// One seed for all samples. Sample k of a seed is the same in every run. `first` is the number of the first
        /// sample.
        case shared(UInt64, first: UInt64)
        /// A random seed for each sample, so that nothing leads to a sample that a release leaves out.
        case independent
    }

    public var model: ModelSource
    /// Which samples to make.
    public var wish: Wish
    /// Where the noise comes from.
    public var seed = Seed.shared(0, first: 0)
    /// The step rule; nil takes the usual rule of the model.
    public var sampler: SamplerKind?
    /// The number of steps; nil takes the usual number of the model.
    public var steps: Int?
    /// The guidance scale. 1 means no guidance; a larger scale shows the cohort more strongly and doubles the cost. A
    /// scale between 0 and 1 shows it more weakly than asked, and the file says so. Nil takes the usual scale.
    public var guidance: Float?
    /// The scale of autoguidance, 1 to 4; 1 is none. Nil takes the usual scale of the model.
    public var autoguidance: Float?
    /// Whether a sample is drawn again, up to three times, where not exactly one optic disc is found in it.
    public var wantsOneDisc = false
    /// Whether maps of vessels, disc, cup, macula and lesions are read from each sample and kept with it.
    public var readsStructure = false
    /// The noise levels between which guidance acts; nil for all levels.
    public var guidanceInterval: ClosedRange<Float>?
    /// The attributes that guidance acts on; nil for all attributes that are asked for.
    public var guide: [String]?
    /// The number of samples in a batch. The samples do not depend on it.
    public var batch: Int?
    /// A list of trust: a model of a site that the list marks as withdrawn is refused. Nil takes `TRUST.yaml` in the
    /// folder of the model, as rounds have it, where there is one.
    public var trust: String?
    /// The purpose of the samples, as a code of the Data Use Ontology.
    public var purpose: String?
    /// Whom to ask about the samples. The contact is stored in the file.
    public var contact = ""
    public var output: String
    /// How much pictures are compressed: 1 (fast) to 9 (small); 0 does not compress.
    public var deflate = 1
    /// The number of samples in each file of pictures; nil writes one file.
    public var shardSize: Int?
    /// Go on with a run that was stopped or killed.
    public var resumes = false
    /// Whether an output that exists may be replaced.
    public var replaces = false
    /// Also draw cohorts of which the model saw fewer than five patients. The file then names them.
    public var allowsUnseen = false
    /// The number of threads to work on.
    public var threads = Machine.availableCores

    public init(model: ModelSource, _ wish: Wish, to output: String) {
        self.model = model
        self.wish = wish
        self.output = output
    }

    public struct Outcome: JobOutcome {
        public let count: Int
        public let seconds: Double
        /// How often the network was evaluated for each sample.
        public let evaluations: Int
        /// The time from the start of the process to the first evaluation of the network.
        public let firstStepSeconds: Double
        public let output: String
        /// The model's digest.
        public let model: String
        public let contactSheet: String
        /// How many samples were drawn again; nil where no discs were looked for.
        public let drawnAgain: Int?
        /// What somebody must know who uses the samples, one sentence each.
        public let warnings: [String]

        private enum CodingKeys: String, CodingKey {
            case count, seconds, evaluations, output, model, warnings
            case firstStepSeconds = "first_step_seconds"
            case contactSheet = "contact_sheet"
            case drawnAgain = "drawn_again"
        }

        public var lines: [String] {
            [
                "\(output): \(count) samples in \(seconds.short) s, \(evaluations) network evaluations each"
                    + (drawnAgain.map { ", \($0) drawn again because not one optic disc was found" } ?? ""),
                "contact sheet: \(contactSheet)",
                "\(output): not audited, so not for release",
            ]
        }
    }

    public func validate() throws {
        try model.validate()
        guard (0...9).contains(deflate) else {
            throw Failure(.usage, option: "deflate", expected: "0 to 9", found: "\(deflate)")
        }
        if let shardSize, shardSize < 1 {
            throw Failure(.usage, option: "shardSize", expected: "at least 1", found: "\(shardSize)")
        }
        if let guidance { try SampleJob.validate(guidance: guidance) }
        if let autoguidance, !Autoguidance.scales.contains(autoguidance) {
            throw Failure(
                .usage, option: "autoguidance", expected: "1 to \(Int(Autoguidance.scales.upperBound)); 1 means none",
                found: "\(autoguidance)")
        }
        if case .count(let count, _) = wish, !(1...SamplingPlan.most).contains(count) {
            throw Failure(.usage, option: "count", expected: "1 to \(SamplingPlan.most)", found: "\(count)")
        }
    }

    /// At 0.001, eight of eight samples had the same pixels as without a request.
    private static let lowestGuidance: Float = 0.1

    private static func validate(guidance: Float) throws {
        if guidance == 0 {
            throw Failure(
                .usage, option: "guidance",
                "0 would draw pictures that ignore what is asked for; 1 means no guidance")
        }
        if guidance > 0, guidance < lowestGuidance {
            throw Failure(
                .usage, option: "guidance",
                """
                below \(lowestGuidance) the pictures would hardly depend on what is asked for, and would be labelled \
                with it; 1 means no guidance
                """)
        }
        guard guidance > 0, guidance <= SamplerSettings.highestGuidance else {
            throw Failure(
                .usage, option: "guidance",
                expected: "a number above 0 and up to \(Int(SamplerSettings.highestGuidance)); 1 means no guidance",
                found: "\(guidance)")
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        try OutputPath.requireOther(output, than: [model.snapshot])
        try StagedFile.requireWritable(output, force: replaces || resumes)
        let loaded = try model.load(), plan = try plan()
        try WithdrawnSites.refuse(
            model.snapshot, sites: loaded.manifest.sites.union(loaded.mixture.flatMap(\.sites)), trust: trust)
        let sampling = SamplingRun(
            loaded, settings(for: loaded), plan: plan, seed: sharedSeed, firstIndex: first, path: output,
            options: SampleSetWriter.Options(
                resume: resumes, force: replaces, deflate: deflate, shardRows: shardSize, threads: threads),
            use: .purpose(purpose), allowsUnseen: allowsUnseen)
        let start = ContinuousClock.now
        var firstStep = 0.0
        let done = try await sampling.run(contact: contact) {
            firstStep = ProcessAge.seconds
        } progress: {
            report.progress("sample", "samples", $0, of: plan.count)
        }
        guard done == plan.count else {
            throw Failure(
                .interrupted, output,
                "stopped; \(done) of \(plan.count) samples are kept in \(UnfinishedFolder.path(for: output))",
                remedy: isPlanned || done == 0 ? .resume : .resumeOrEnd(done))
        }
        let file = try await SampleSetFile.open(output, verifying: false)
        return Outcome(
            count: done, seconds: (ContinuousClock.now - start) / .seconds(1), evaluations: sampling.evaluations,
            firstStepSeconds: firstStep, output: output, model: loaded.digest.description,
            contactSheet: sampling.sheetPath,
            drawnAgain: wantsOneDisc ? file.indices.count(where: DiscCheck.isAgain) : nil,
            warnings: try file.description().warnings)
    }

    private func plan() throws -> SamplingPlan {
        switch wish {
        case .plan(let path): try SamplingPlan(contentsOf: path)
        case .count(let count, let cohorts):
            SamplingPlan(count: count, cohorts: try cohorts.map { try CohortRequest($0) })
        }
    }

    private var isPlanned: Bool { if case .plan = wish { true } else { false } }

    private var sharedSeed: UInt64? { if case .shared(let seed, _) = seed { seed } else { nil } }

    private var first: UInt64 { if case .shared(_, let first) = seed { first } else { 0 } }

    private func settings(for model: LoadedModel) -> SamplerSettings {
        var settings = SamplerSettings(for: model.manifest.model)
        settings.sampler = sampler ?? settings.sampler
        settings.steps = steps ?? settings.steps
        settings.guidanceInterval = guidanceInterval
        settings.guidedAttributes = guide
        settings.guidanceScale = guidance ?? settings.guidanceScale
        settings.batchSize = batch ?? settings.batchSize
        (settings.wantsOneDisc, settings.readsStructure) = (wantsOneDisc, readsStructure)
        if let autoguidance {
            settings.autoguidance =
                autoguidance == 1 ? nil : Autoguidance(scale: autoguidance, for: model.manifest.model)
        }
        return settings
    }
}
