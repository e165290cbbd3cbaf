import ArgumentParser
import Consortium
import Diffusion
import Files
import Fovea
import Importing
import Networks
import Training

struct ImportCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Turns a folder of fundus photographs into a dataset.",
        discussion: """
            The field of view is found, cropped, centred and squared; everything outside it becomes black. Copies are \
            dropped, and patients are split into train, validation and holdout. File names go only to the import \
            report beside the output.

            Example: fovea import photographs --site a --labels grades.csv --map a.yaml --size 256 --out a.h5
            """)

    @Argument(help: .value("dir", "The folder; folders in it are searched, too."), completion: .directory) var folder:
        String
    @Option(help: "The site's name, in ASCII without spaces; needed for a new dataset.") var site: String?
    @Option(help: .value("file.csv", "A table that names photographs."), completion: .file()) var labels: String?
    @Option(
        help: .value("map.yaml|name", "What the table's columns and codes mean; fovea map list names those at hand."),
        completion: .file())
    var map: String?
    @Flag(help: "Say that each photograph is of another patient, where no column names the patient; it is recorded.")
    var onePatientPerPhoto = false
    @Option(help: .value("pixels", "Width and height of the pictures (default: 256, or those of --into).")) var size:
        Int?
    @Flag(help: "Take pictures whose file says that a model made them; the dataset is marked as synthetic.")
    var allowSynthetic = false
    @Option(help: "What becomes of photographs with letters inside the field of view.")
    var text = BurnedInTextPolicy.flag
    @Option(help: "Leave out photographs that are poorer (default: keeps all, and names the poor ones).")
    var minQuality: MinQuality?
    @Option(help: .value("site.h5", "The dataset to write."), completion: .file()) var out: String?
    @Option(help: .value("site.h5", "A dataset to which the photographs are added."), completion: .file())
    var into: String?
    @Flag(help: "Go on with an import that was stopped or killed; begins where there is none.") var resume = false
    @Option(help: "The photographs' licence.") var licence = "unstated"
    @Option(help: "Where the photographs come from.") var source = "unstated"
    @Option(
        help: .value("file", "16 bytes or more that stay at the site; a patient keeps the same key with them."),
        completion: .file())
    var patientSecret: String?
    @OptionGroup var common: CommonOptions

    func job() throws -> ImportJob {
        guard let output = out ?? into, out == nil || into == nil else {
            throw ValidationError(
                out == nil
                    ? "Missing: --out (a new dataset), or --into (add to one)" : "--out and --into exclude each other")
        }
        if into == nil, site == nil { throw ValidationError("Missing: --site, the name of the site") }
        var job = ImportJob(folder: folder, site: site, to: output)
        (job.adds, job.resumes) = (into != nil, resume)
        (job.labels, job.map, job.onePatientPerPhoto, job.size) = (labels, map, onePatientPerPhoto, size)
        (job.licence, job.source, job.patientSecret) = (licence, source, patientSecret)
        (job.allowsSynthetic, job.text, job.leastQuality) = (allowSynthetic, text, minQuality?.grade)
        (job.replaces, job.threads) = (common.force, common.threadCount)
        return job
    }
}

struct PhantomCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "phantom",
        abstract: "Makes a dataset of procedural fundus phantoms, for tests and first steps.",
        discussion: """
            Phantoms are drawn, not photographed: eyes with known vessels, disc, macula and lesions, of known grade. \
            Each visit is in another pose, light and camera. Grades 0 to 4 are equally frequent; of every ten patients \
            one is for validation and one is held out. The same seed makes the same eyes at every size.

            Example: fovea phantom --count 500 --size 64 --visits 2 --seed 1 --out phantoms.h5
            """)

    @Option(help: .value("n", "Patients, with one eye each.")) var count: Int
    @Option(help: .value("pixels", "Width and height of the photographs in pixels, 32 to 4096.")) var size = 256
    @Option(help: .value("n", "Photographs of each eye.")) var visits = 1
    @Option(help: .value("number", "What the phantoms are drawn from.")) var seed: UInt64
    @Option(help: .value("name", "The site that they stand for, to try a federation (default: none)."))
    var site: String?
    @Option(help: .value("file.h5", "The dataset to write."), completion: .file()) var out: String
    @OptionGroup var common: CommonOptions

    func job() throws -> PhantomJob {
        var job = PhantomJob(patients: count, seed: seed, to: out)
        (job.size, job.visits, job.site) = (size, visits, site)
        (job.replaces, job.threads) = (common.force, common.threadCount)
        return job
    }
}

struct TrainCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains a diffusion model on the train split of one or more data sets.",
        discussion: """
            RUN holds config.yaml (everything resolved), log.jsonl, checkpoint.safetensors (to resume bit for bit), \
            snapshot.safetensors (the moving average, for sampling), best.safetensors (the snapshot with the lowest \
            validation loss) and preview-*.png. Ctrl-C saves and stops; --resume goes on.

            Example: fovea train --data site.h5 --out run --preset small --size 64 --minutes 60
            """)

    @Option(
        help: .value("site.h5", "A data set made by import or phantom; may be given several times."),
        completion: .file())
    var data: [String]
    @Option(help: .value("run", "The run's folder."), completion: .file()) var out: String
    @Option(help: "The size of the network (default: small).")
    var preset: Preset?
    @Option(help: .value("pixels", "Side of the pictures (default: the data set's, at most 256, a multiple of 32)."))
    var size: Int?
    @Option(
        help: """
            Where pictures are denoised: pixels (usual up to 128), wavelet (usual from 129 on) or dct (usual from 256 \
            on), whose blocks follow from the size; grey for red-free photographs; or with the blocks named.
            """)
    var space: LatentSpace.Family?
    @Option(help: "Structures of which a map is drawn with each picture; needs --space dct.")
    var maps: MapsOption?
    @Option(
        help: .value("snapshot", "A snapshot to start from; it brings network, size, space and attributes."),
        completion: .file())
    var base: String?
    @Option(help: "What is trained on a base: ffa (a small adapter that merges exactly), lora, or full (default: ffa).")
    var adapter: AdapterOption?
    @Flag(help: "Add the attributes of the data that the base lacks, and train them, too.") var extend = false
    @Option(
        help: .value("trust.yaml", "Whose signatures count: a base that the coordinator did not sign is refused."),
        completion: .file())
    var trust: String?
    @Option(
        help: .value("n|folder", "The round that it is for (other noise); its folder also brings base and settings."))
    var round: RoundOption?
    @Option(
        help: .value("phantoms.h5", "Phantoms, added by coin flips, to measure memory; never shared then."),
        completion: .file())
    var canaries: String?
    @Option(help: .value("n", "Training images to see in all (default: 400000).")) var images: Int?
    @Option(help: .value("n", "Save and stop after this many minutes; --resume goes on.")) var minutes: Double?
    @Option(help: .value("MiB", "Memory that it may take (default: what is available); what needs more is refused."))
    var memory: Int?
    @Option(help: .value("n", "Seed of all randomness (default: 0).")) var seed: UInt64?
    @Option(
        help: .value("train.yaml", "Settings; docs/training.md lists them. Options on the command line override it."),
        completion: .file())
    var config: String?
    @Flag(help: "Go on with the run in the folder.") var resume = false
    @OptionGroup var common: CommonOptions

    func job() throws -> TrainJob {
        var wishes = TrainingWishes()
        (wishes.preset, wishes.size, wishes.space, wishes.maps) = (preset, size, space, maps?.maps)
        (wishes.base, wishes.adapter, wishes.tunesEverything) = (base, adapter?.kind, adapter == .full)
        (wishes.canaries, wishes.images, wishes.seed, wishes.round) = (canaries, images, seed, round?.number)
        (wishes.config, wishes.extend) = (config, extend)
        var job = TrainJob(data: data, to: out)
        (job.wishes, job.trust, job.minutes, job.memory) = (wishes, trust, minutes, memory)
        (job.roundFolder, job.resumes, job.replaces) = (round?.folder, resume, common.force)
        return job
    }
}

struct ValidateCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Losses of a model on patients that it did not learn from; of two models, patient by patient.",
        discussion: """
            A site asks whether the merged model is better for its own patients than the model that it trained alone. \
            Both see the same noise.

            Example: fovea validate merged.safetensors --against run/snapshot.safetensors --data site.h5
            """)

    @Argument(help: .value("snapshot", "A snapshot."), completion: .file()) var model: String
    @Option(help: .value("snapshot", "Another snapshot, of pictures of the same size."), completion: .file())
    var against: String?
    @Option(help: .value("site.h5", "A data set; may be given several times."), completion: .file()) var data: [String]
    @Option(help: "Whose patients.") var split = ValidateJob.Patients.validation
    @Option(help: .value("n", "Noise levels and noises a photograph.")) var draws = 64
    @OptionGroup var common: CommonOptions

    func job() throws -> ValidateJob {
        var job = ValidateJob(model, data: data)
        (job.against, job.patients, job.draws) = (against, split, draws)
        return job
    }
}

enum AdapterOption: String, CaseIterable, ExpressibleByArgument {
    case ffa, lora, full

    /// The kind of adapter; nil where all weights are trained.
    var kind: AdapterKind? { AdapterKind(rawValue: rawValue) }

    /// The same as what a round asks for.
    var asked: RoundTuning {
        switch self {
        case .ffa: .ffa
        case .lora: .lora
        case .full: .full
        }
    }
}

enum MapsOption: String, CaseIterable, ExpressibleByArgument {
    case none, vessels

    var maps: [StructureMap] { self == .vessels ? [.vessels] : [] }
}

enum MinQuality: String, CaseIterable, ExpressibleByArgument {
    case good, usable

    var grade: QualityGrade { self == .good ? .good : .usable }
}

extension BurnedInTextPolicy: ExpressibleByArgument {}
extension Preset: ExpressibleByArgument {}
extension LatentSpace.Family: ExpressibleByArgument {}
extension ValidateJob.Patients: ExpressibleByArgument {}
