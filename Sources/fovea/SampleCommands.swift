import ArgumentParser
import Diffusion
import Exporting
import Files
import Foundation
import Fovea

/// The options that name the model that makes samples.
struct ModelOptions: ParsableArguments {
    @Option(help: .value("snapshot", "A snapshot."), completion: .file()) var model: String
    @Option(help: .value("name=weight,...", "Adapters or parcels to mix in by weight, by their files' names."))
    var mix: String?
    @Option(
        help: .value("folder", "Where the adapters are (default: the folder of the model)."), completion: .directory)
    var adapters: String?

    func source() throws -> ModelSource {
        var source = ModelSource(model)
        source.mix = try mix.map { try ModelSource.mixture($0) } ?? []
        source.adapters = adapters
        return source
    }
}

/// The options that say whether samples may be drawn.
struct UseOptions: ParsableArguments {
    @Option(help: .value("DUO:0000042", "The samples' purpose, a Data Use Ontology code, which the sites must permit."))
    var purpose: String?
    @Option(
        help: .value("trust.yaml", "A model of a site that this list marks as withdrawn is refused."),
        completion: .file())
    var trust: String?
}

struct SampleCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Samples synthetic photographs into HDF5, with provenance and a contact sheet.",
        discussion: """
            Sample k of a seed is the same alone or in any run, with any number of threads. Several --cohort take turns.

            Example: fovea sample --model run/snapshot.safetensors --count 64 --cohort dr_icdr=3 --seed 1 --out s.h5
            """)

    @OptionGroup var source: ModelOptions
    @Option(help: .value("n", "How many samples.")) var count: Int?
    @Option(
        help: .value(
            "attribute=value,...",
            "What to ask for, such as dr_icdr=3 or 2.5, age_band='70-79|80+', dr_icdr=2..4; may be repeated."))
    var cohort: [String] = []
    @Flag(help: "Draw cohorts, too, that the model saw with fewer than 5 patients; the file names them.")
    var allowSmallCohorts = false
    @Option(
        help: .value("plan.csv", "A table of counts and attributes, instead of --count and --cohort."),
        completion: .file())
    var plan: String?
    @Option(help: .value("n", "Seed of the noise (default: 0).")) var seed: UInt64?
    @Flag(help: "A random seed for each sample, so that nothing leads to a sample that a release leaves out.")
    var independentSeeds = false
    @Option(help: .value("k", "Number of the first sample under the seed (default: 0).")) var first: UInt64?
    @Option(help: "How to step (default: heun; for a model of several networks dpmpp-sde).")
    var sampler: SamplerKind?
    @Option(help: .value("n", "Steps (default: 18, of several networks 40); heun evaluates a network 2 n - 1 times."))
    var steps: Int?
    @Option(
        help: .value(
            "w", "Guidance scale: 1 (default) means none, more shows the cohort more strongly and costs twice."))
    var guidance: Float?
    @Option(
        help: .value(
            "w",
            "How far samples keep away from what the model's small guiding network would draw: 1 means not at all "
                + "(default: 1.4 where there is such a network)."))
    var autoguidance: Float?
    @Option(help: .value("low,high", "Guide only where the noise level lies between two, such as 0.2,5."))
    var guidanceInterval: GuidanceInterval?
    @Option(help: .value("attribute,...", "Attributes that guidance acts on (default: all that are asked for)."))
    var guide: String?
    @Flag(
        help: "Draw a sample again, up to 3 times, where not exactly one optic disc is found in it; the file says so.")
    var oneDisc = false
    @Flag(help: "Keep maps of vessels, disc, cup, macula and lesions with each sample, read from its pixels.")
    var structure = false
    @Option(help: .value("n", "Samples a batch (default: 16); the samples do not depend on it.")) var batch: Int?
    @OptionGroup var use: UseOptions
    @Option(help: .value("text", "Whom to ask about the samples; stored in the file.")) var contact = ""
    @Option(help: .value("s.h5", "The sample set to write."), completion: .file()) var out: String
    @Option(help: .value("level", "How small pictures are packed: 1 (fast) to 9 (small), 0 for not at all."))
    var deflate = 1
    @Option(help: .value("n", "Write the pictures into files of n samples each, and one set over them."))
    var shardSize: Int?
    @Flag(help: "Go on with a run that was stopped or killed; begins where there is none.") var resume = false
    @OptionGroup var common: CommonOptions

    func job() throws -> SampleJob {
        var job = SampleJob(model: try source.source(), try wish(), to: out)
        if independentSeeds {
            guard seed == nil, first == nil else {
                throw Failure(.usage, option: "independentSeeds", "the seeds are drawn; leave out --seed and --first")
            }
            job.seed = .independent
        } else {
            job.seed = .shared(seed ?? 0, first: first ?? 0)
        }
        (job.sampler, job.steps, job.guidance, job.batch) = (sampler, steps, guidance, batch)
        (job.autoguidance, job.wantsOneDisc, job.readsStructure) = (autoguidance, oneDisc, structure)
        (job.guidanceInterval, job.guide) = (guidanceInterval?.range, guide?.split(separator: ",").map(String.init))
        (job.purpose, job.contact, job.deflate, job.shardSize) = (use.purpose, contact, deflate, shardSize)
        (job.resumes, job.replaces, job.allowsUnseen) = (resume, common.force, allowSmallCohorts)
        job.trust = use.trust
        job.threads = common.threadCount
        return job
    }

    private func wish() throws -> SampleJob.Wish {
        switch (count, plan) {
        case (let count?, nil): return .count(count, cohorts: cohort)
        case (nil, let plan?) where cohort.isEmpty: return .plan(plan)
        case (nil, _?): throw Failure(.usage, option: "plan", "the plan names the cohorts; --cohort goes with --count")
        default: throw Failure(.usage, nil, "expected --count or --plan, and not both")
        }
    }
}

/// Two noise levels, as a text such as `low,high`.
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

struct ReplayCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Makes samples again from their provenance, and compares them with what the file holds.",
        discussion: """
            On the BLAS core that made them, with any number of threads and any batch, all bits must be equal; on \
            another, the peak signal-to-noise ratio must reach \(Int(ReplayJob.requiredRatio)) dB. Exit code 1 where \
            a sample is not what it says.

            Example: fovea replay s.h5 --model run/snapshot.safetensors --fraction 0.05
            """)

    @Argument(help: .value("s.h5", "A sample set."), completion: .file()) var file: String
    @OptionGroup var source: ModelOptions
    @Option(help: .value("row", "A row to make again; repeatable (default: all rows that the model made)."))
    var index: [Int] = []
    @Option(help: .value("0...1", "A share of the rows instead, drawn at random; at least one.")) var fraction: Double?
    @Option(help: .value("n", "Samples a batch; nothing depends on it.")) var batch = 16
    @OptionGroup var common: CommonOptions

    func job() throws -> ReplayJob {
        var job = ReplayJob(file, model: try source.source())
        if fraction != nil, !index.isEmpty {
            throw Failure(.usage, nil, "expected --index or --fraction, and not both")
        }
        job.rows = fraction.map { .share($0) } ?? (index.isEmpty ? .all : .some(index))
        job.batch = batch
        return job
    }
}

struct CounterfactualCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "counterfactual",
        abstract: "Draws samples of a set again as they would look in another cohort: the same eyes, changed.",
        discussion: """
            Writes the originals and their counterfactuals into a sample set, with the difference of each pair, and a \
            page with a slider. With --train, classifiers of photographs read what was changed.

            Example: fovea counterfactual s.h5 --model run/snapshot.safetensors --change dr_icdr=0..4 --out pairs.h5
            """)

    @Argument(help: .value("s.h5", "A sample set."), completion: .file()) var file: String
    @OptionGroup var source: ModelOptions
    @Option(
        help: .value(
            "attribute=value,...",
            "What to change, such as dr_icdr=3; dr_icdr=0..4 makes one for each value; may be repeated."))
    var change: [String] = []
    @Option(help: .value("row", "A row to change; repeatable (default: the first --count rows).")) var row: [Int] = []
    @Option(help: .value("n", "How many of the first rows to change.")) var count = 16
    @Option(
        help: .value(
            "level", "The noise level on pixels below which the change holds; a lower one keeps more of the eye."))
    var below = CounterfactualJob.usualLevel
    @Option(help: .value("s", "How strongly the change is shown; 1 is as strongly as the model would."))
    var scale = CounterfactualJob.usualScale
    @Flag(help: "Let vessels change, too.") var freeVessels = false
    @Option(
        help: .value("data.h5", "Photographs on which classifiers are trained that read what was changed."),
        completion: .file())
    var train: String?
    @Flag(help: "Draw cohorts, too, that the model saw with fewer than 5 patients; the file names them.")
    var allowSmallCohorts = false
    @Option(help: .value("n", "Originals a batch; the samples do not depend on it.")) var batch = 8
    @OptionGroup var use: UseOptions
    @Option(help: .value("pairs.h5", "The sample set to write."), completion: .file()) var out: String
    @Flag(help: "Go on with a run that was stopped or killed; begins where there is none.") var resume = false
    @OptionGroup var common: CommonOptions

    func job() throws -> CounterfactualJob {
        var job = CounterfactualJob(file, model: try source.source(), changes: change, to: out)
        job.rows = row.isEmpty ? nil : row
        (job.most, job.level, job.scale, job.keepsVessels) = (count, below, scale, !freeVessels)
        (job.train, job.purpose, job.trust, job.allowsUnseen) = (train, use.purpose, use.trust, allowSmallCohorts)
        (job.batch, job.resumes, job.replaces, job.threads) = (batch, resume, common.force, common.threadCount)
        return job
    }
}

struct ExportCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes a sample set as PNG files, NPZ or WebDataset; each picture keeps its synthetic label.",
        discussion: """
            The folder also gets a dataset card, a card of each model, croissant.json, prov.json, and export.json with \
            the digest of every file (fovea verify FOLDER). Everything is read again after writing.

            Example: fovea export s.h5 --to png --out pictures
            """)

    @Argument(help: .value("s.h5", "A sample set."), completion: .file()) var file: String
    @Option(help: "The form of the pictures.")
    var to: SampleExport.Format
    @Option(help: .value("folder", "The folder to write."), completion: .directory) var out: String
    @Option(help: .value("attribute", "What an NPZ file gives as labels (default: dr_icdr, or the first asked for)."))
    var label: String?
    @Option(help: .value("n", "Samples of a WebDataset shard.")) var shardSize = 1000
    @OptionGroup var common: CommonOptions

    func job() throws -> ExportJob {
        var job = ExportJob(file, as: to, to: out)
        (job.label, job.shardSize, job.replaces, job.threads) = (label, shardSize, common.force, common.threadCount)
        return job
    }
}

struct VerifyCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Checks every digest, label, link and signature of a file or an audit, and names what fails.",
        discussion: """
            Exit code 1 where anything fails. A sample set carries the SHA-256 of all its bytes, so any changed byte \
            is found. For an audit, every public file, the page included, must be the one that was signed.

            Example: fovea verify audit --samples s.h5
            """)

    @Argument(
        help: .value("file", "A sample set, data set or weights file, a folder that export wrote, or an audit."),
        completion: .file())
    var file: String
    @Option(help: .value("samples", "The set that the audit should be of."), completion: .file()) var samples: String?
    @Option(
        help: .value("trust.yaml", "Whose signatures are trusted; an unsigned file then fails."), completion: .file())
    var trust: String?
    @OptionGroup var common: CommonOptions

    func job() throws -> VerifyJob {
        var job = VerifyJob(file)
        (job.samples, job.trust) = (samples, trust)
        return job
    }
}

struct InspectCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Says what a file is: data set, checkpoint, snapshot or sample set; its cohorts, sites and licence.",
        discussion: """
            Of a data set, patients are counted by value and split: those of the train split decide what a model may \
            be asked for. --by counts them by several attributes together.

            Example: fovea inspect samples.h5
            Example: fovea inspect site.h5 --by sex,age_band
            """)

    @Argument(help: .value("file", "A file made by fovea."), completion: .file()) var file: String
    @Option(help: .value("attribute,...", "Of a data set: a table of the train patients by one to three attributes."))
    var by: String?
    @OptionGroup var common: CommonOptions

    func job() throws -> InspectJob {
        var job = InspectJob(file)
        job.by = by?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } ?? []
        return job
    }
}

struct ReportCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes a sample set as one HTML page: gallery, cohorts, lineage, settings and terms.",
        discussion: """
            The page needs no network and loads nothing; it stays below 10 MB. Its pictures are JPEG copies.

            Example: fovea report samples.h5 --out report.html
            """)

    @Argument(help: .value("samples", "A sample set."), completion: .file()) var samples: String
    @Option(help: .value("file", "The page to write."), completion: .file()) var out: String
    @Option(help: .value("n", "Samples to show; of a larger set, a selection spread evenly over the cohorts."))
    var most = ReportJob.usualMost
    @Option(
        help: .value("folder", "The folder of an evaluation of the set (default: what a released set carries)."),
        completion: .directory)
    var evaluation: String?
    @OptionGroup var common: CommonOptions

    func job() throws -> ReportJob {
        var job = ReportJob(samples, to: out)
        (job.most, job.evaluation, job.replaces) = (most, evaluation, common.force)
        return job
    }
}

extension SampleExport.Format: ExpressibleByArgument {}
extension SamplerKind: ExpressibleByArgument {}
