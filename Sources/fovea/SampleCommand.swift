import ArgumentParser
import CheckpointStore
import Diffusion
import Files
import Foundation
import Models
import SampleStore
import Sampling

struct SampleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Samples synthetic photographs into HDF5, with provenance and a contact sheet.",
        discussion: """
            Sample k of a seed is the same alone or in any run, with any number of threads. Several --cohort take turns.

            Example: fovea sample --model run/snapshot.safetensors --count 64 --cohort dr_icdr=3 --seed 1 --out s.h5
            """)

    @OptionGroup var source: ModelOptions

    @Option(help: ArgumentHelp("How many samples.", valueName: "n"))
    var count: Int?

    @Option(
        help: ArgumentHelp(
            "What to ask for, such as dr_icdr=3; may be given several times. 2.5 lies between 2 and 3.",
            valueName: "attribute=value,..."))
    var cohort: [String] = []

    @Option(
        help: ArgumentHelp(
            "A table with a column count and one for each attribute, instead of --count and --cohort.",
            valueName: "plan.csv"))
    var plan: String?

    @Option(help: ArgumentHelp("Seed of the noise (default: 0).", valueName: "n"))
    var seed: UInt64?

    @Flag(help: "A random seed for each sample, so that nothing leads to a sample that a release leaves out.")
    var independentSeeds = false

    @Option(help: ArgumentHelp("Number of the first sample under the seed (default: 0).", valueName: "k"))
    var first: UInt64?

    @Option(
        help: ArgumentHelp(
            "How to step: \(SamplerKind.allCases.map(\.rawValue).joined(separator: ", ")) (default: heun; "
                + "for a model of several networks dpmpp-sde)."))
    var sampler: SamplerKind?

    @Option(
        help: ArgumentHelp(
            """
            Steps; heun takes 2 n - 1 network evaluations, the others n (default: 18; for a model of several networks \
            40).
            """,
            valueName: "n"))
    var steps: Int?

    @Option(
        help: ArgumentHelp(
            "Guidance scale; 1 means none, more makes the cohort plainer and doubles the cost (default: 1).",
            valueName: "w"))
    var guidance: Float?

    @Option(
        help: ArgumentHelp("Guide only where the noise level lies between two, such as 0.2,5.", valueName: "low,high"))
    var guidanceInterval: GuidanceInterval?

    @Option(
        help: ArgumentHelp(
            "Attributes that guidance makes plainer (default: all that are asked for).", valueName: "attribute,..."))
    var guide: String?

    @Option(help: ArgumentHelp("Samples a batch (default: 16); the samples do not depend on it.", valueName: "n"))
    var batch: Int?

    @Option(
        help: ArgumentHelp(
            "What the samples are for, a code of the Data Use Ontology; refused where the sites do not permit it.",
            valueName: "DUO:0000042"))
    var purpose: String?

    @Option(help: ArgumentHelp("Whom to ask about the samples; stored in the file.", valueName: "text"))
    var contact: String = ""

    @Option(help: ArgumentHelp("The sample set to write.", valueName: "s.h5"))
    var out: String

    @Option(
        help: ArgumentHelp(
            "How small pictures are packed: 1 (fast) to 9 (small), 0 for not at all (default: 1).", valueName: "level"))
    var deflate: Int = 1

    @Option(
        help: ArgumentHelp("Write the pictures into files of n samples each, and one set over them.", valueName: "n"))
    var shardSize: Int?

    @Flag(help: "Go on with a run that was stopped or killed; begins where there is none.")
    var resume = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if (plan == nil) == (count == nil) { throw ValidationError("expected --count or --plan, and not both") }
        if independentSeeds, seed != nil || first != nil {
            throw ValidationError("--independent-seeds draws the seeds; --seed and --first do not go with it")
        }
        if plan != nil, !cohort.isEmpty {
            throw ValidationError("--plan names the cohorts; --cohort goes with --count")
        }
        guard (0...9).contains(deflate) else { throw ValidationError("--deflate: expected 0 to 9, found \(deflate)") }
        if let shardSize, shardSize < 1 {
            throw ValidationError("--shard-size: expected at least 1, found \(shardSize)")
        }
        if let count, !(1...SamplingPlan.most).contains(count) {
            throw ValidationError("--count: expected 1 to \(SamplingPlan.most), found \(count)")
        }
    }

    private struct Result: Encodable {
        let count: Int
        let seconds: Double
        /// Of the network, for each sample.
        let evaluations: Int
        /// From the start of the process to the first evaluation of the network.
        let first_step_seconds: Double
        let output: String
        let model: String
        let contact_sheet: String
    }

    func run() async throws {
        common.apply()
        try StagedFile.requireWritable(out, force: common.force || resume)
        let loaded = try source.load()
        var settings = SamplerSettings(for: loaded.manifest.model)
        settings.sampler = sampler ?? settings.sampler
        settings.steps = steps ?? settings.steps
        settings.guidanceInterval = guidanceInterval?.range
        settings.guidedAttributes = guide.map { $0.split(separator: ",").map(String.init) }
        settings.guidanceScale = guidance ?? settings.guidanceScale
        settings.batchSize = batch ?? settings.batchSize
        let wanted =
            try plan.map { try SamplingPlan(contentsOf: $0) }
            ?? SamplingPlan(count: count ?? 0, cohorts: try cohort.map { try CohortRequest($0) })
        let sampling = SamplingRun(
            loaded, settings, plan: wanted, seed: independentSeeds ? nil : seed ?? 0, firstIndex: first ?? 0, path: out,
            options: SampleSetWriter.Options(
                resume: resume, force: common.force, deflate: deflate, shardRows: shardSize, threads: common.threadCount
            ),
            use: .purpose(purpose), allowsUnseen: common.force)
        let progress = ProgressReporter("sample", unit: "samples", isQuiet: common.quiet)
        defer { progress.end() }
        let start = ContinuousClock.now
        var firstStep = 0.0
        let done = try await sampling.run(contact: contact) {
            firstStep = ProcessAge.seconds
        } progress: {
            progress.update($0, of: wanted.count)
        }
        progress.end()
        guard done == wanted.count else {
            throw Failure(
                .interrupted, out,
                """
                stopped; \(done) of \(wanted.count) samples are kept in \(UnfinishedFolder.path(for: out)); go on \
                with --resume
                """
                    + (plan == nil && done > 0 ? ", or end with --resume --count \(done)" : ""))
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        try common.console.finish(
            Result(
                count: done, seconds: seconds, evaluations: sampling.evaluations, first_step_seconds: firstStep,
                output: out,
                model: loaded.digest.description,
                contact_sheet: sampling.sheetPath),
            [
                "\(out): \(done) samples in \(seconds.short) s, \(settings.evaluations) network evaluations each",
                "contact sheet: \(sampling.sheetPath)",
            ])
    }
}

extension SamplerKind: ExpressibleByArgument {}

/// `low,high`, two noise levels.
struct GuidanceInterval: ExpressibleByArgument {
    let range: ClosedRange<Float>

    init?(argument: String) {
        let ends = argument.split(separator: ",").map { Float($0) }
        guard ends.count == 2, let low = ends[0], let high = ends[1], low >= 0, low <= high, high.isFinite else {
            return nil
        }
        range = low...high
    }
}
