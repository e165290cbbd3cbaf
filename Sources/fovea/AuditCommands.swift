import ArgumentParser
import Files
import Foundation
import Fovea

/// The option that says who may sign audits, for commands that need an audit before something leaves the site.
struct OfficerOptions: ParsableArguments {
    @Option(
        help: .value("trust.yaml", "A list of who is a privacy officer (default: the key that signs here)."),
        completion: .file())
    var trust: String?
}

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Tests samples and their model for memorised patients, and signs such a test.",
        discussion: """
            fovea audit SAMPLES ... measures and writes a folder. A privacy officer reads its page and signs it with \
            fovea audit sign. fovea verify checks it, and fovea release lets the set out.
            """,
        subcommands: [RunAuditCommand.self, SignAuditCommand.self], defaultSubcommand: RunAuditCommand.self)
}

struct SignAuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Signs an audit: shows its verdict, its set and its limits, and asks.",
        discussion: """
            Read AUDIT/public/audit.html and AUDIT/private/evidence.html first. The signature covers every file of \
            AUDIT/public, the page included. A verdict of fail or no-power may be signed, too: the signature says that \
            you have read the audit, and only a pass is ever released.

            Example: fovea audit sign audit --key officer.key
            """)

    @Argument(help: .value("folder", "The folder of the audit."), completion: .directory) var audit: String
    @Option(help: .value("file", "The privacy officer's private key."), completion: .file()) var key: String
    @Option(
        help: .value("trust.yaml", "A list in which the key must be that of a privacy officer."), completion: .file())
    var trust: String?
    @Flag(help: "Sign without asking.") var yes = false
    @OptionGroup var common: CommonOptions

    func run() async throws {
        var job = SignAuditJob(audit, key: key)
        (job.trust, job.replaces) = (trust, common.force)
        let review = try job.review()
        review.lines.forEach(common.console.say)
        if !yes {
            Console.put("Sign it as \(review.signer)? Type yes to sign: ", on: .standardError)
            guard readLine()?.trimmingCharacters(in: .whitespaces).lowercased() == "yes" else {
                throw Failure(
                    .checkFailed, audit, "was not signed, because the answer was not yes; nothing has changed")
            }
        }
        job.reviewed = review.digest
        try await common.run(job)
    }
}

struct RunAuditCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Tests samples, and the model that made them, for memorised patients (the default).",
        discussion: """
            SAMPLES and DATA are HDF5 files of Fovea or plain folders of pictures by anybody. Without SAMPLES the \
            audit draws its own from --model. The folder public/ holds the verdict and aggregates; private/ shows \
            patients and never leaves the site. Exit code 0 for a pass, 1 for fail and for no-power. A pass needs a \
            positive control: an overfitted twin that the tests must catch. Nobody has signed the audit then: a \
            privacy officer reads it and signs it with fovea audit sign.

            Example: fovea audit s.h5 --train site.h5 --model run/best.safetensors --positive-control --out audit
            """)

    @Argument(
        help: .value("samples", "A sample set, or a folder of pictures (default: drawn from --model)."),
        completion: .file())
    var samples: String?
    @Option(
        help: .value("data", "What the model may have learned from: the train split of a data set, or a folder."),
        completion: .file())
    var train: String
    @Option(
        help: .value("data", "Photographs of patients that it never saw (default: the data set's holdout split)."),
        completion: .file())
    var holdout: String?
    @Option(
        help: .value("snapshot", "The snapshot that made the samples; adds membership inference."), completion: .file())
    var model: String?
    @Option(
        help: .value("snapshot", "A snapshot that never saw these patients; sharpens membership inference."),
        completion: .file())
    var reference: String?
    @Option(
        help: .value("snapshot", "A model of train --canaries, to ask which it remembers; needs --canaries."),
        completion: .file())
    var canaryModel: String?
    @Option(help: .value("phantoms.h5", "The phantoms that --canary-model was trained with."), completion: .file())
    var canaries: String?
    @Option(
        name: .customLong("positive-control"), defaultAsFlag: "",
        help: .value("twin", "Make a twin that copies a few patients, or take a snapshot, set or folder of one."),
        completion: .file())
    var positiveControl: String?
    @Option(help: .value("policy.yaml", "Limits other than the usual ones."), completion: .file()) var policy: String?
    @Option(
        help: .value("file", "The site's private key; tells whether samples of a merge learned from --train."),
        completion: .file())
    var siteKey: String?
    @Option(help: .hidden) var key: String?
    @Option(help: .value("n", "Pixels a side at which pictures are compared (default: the samples' own, or 256)."))
    var size: Int?
    @Option(help: .value("folder", "The folder to write."), completion: .directory) var out: String
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if key != nil {
            throw ValidationError(
                """
                --key: an audit is signed after it has been read. Audit without --key, read \(out)/public/audit.html, \
                then run: fovea audit sign \(out) --key \(key ?? "")
                """)
        }
    }

    func job() throws -> AuditJob {
        var job = AuditJob(samples: samples, train: train, to: out)
        (job.holdout, job.model, job.reference) = (holdout, model, reference)
        (job.canaryModel, job.canaries) = (canaryModel, canaries)
        job.control = positiveControl.map { $0.isEmpty ? .make : .given($0) }
        (job.policy, job.siteKey, job.size, job.replaces) = (policy, siteKey, size, common.force)
        return job
    }
}

struct ReleaseCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Makes a signed set that may leave the site: an audited set that passed, without flagged samples.",
        discussion: """
            Refused where the audit failed, has no power, is unsigned, was edited, is of another set, or is too old. \
            Rows are renumbered; where seeds would lead to a dropped sample they are removed (draw with \
            --independent-seeds to keep them).

            Example: fovea release s.h5 --audit audit --key officer.key --out r.h5
            """)

    @Argument(help: .value("samples", "The sample set that was audited."), completion: .file()) var samples: String
    @Option(help: .value("folder", "The folder of its audit."), completion: .directory) var audit: String
    @Option(
        help: .value("folder", "The folder of an evaluation that the set carries (default: none)."),
        completion: .directory)
    var evaluation: String?
    @Option(help: .value("file", "The private key that signs the release."), completion: .file()) var key: String
    @OptionGroup var officer: OfficerOptions
    @Option(help: .value("r.h5", "The released set to write; its cards go beside it."), completion: .file()) var out:
        String
    @OptionGroup var common: CommonOptions

    func job() throws -> ReleaseJob {
        var job = ReleaseJob(samples, audit: audit, key: key, to: out)
        (job.trust, job.replaces) = (officer.trust, common.force)
        job.evaluation = evaluation
        return job
    }
}

struct ImportModelCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "import-model",
        abstract: "Makes a snapshot of a diffusers folder (UNet2DModel), to sample from or to train on.",
        discussion: """
            The folder holds config.json, diffusion_pytorch_model.safetensors and, where the network was trained at \
            discrete timesteps, scheduler_config.json. Block types that Fovea does not compute are refused by name. \
            The numbers stay as they are (F32).

            Classes (num_class_embeds) have no names in a diffusers folder: say them in the order of their rows.

            Example: fovea import-model unet --classes dr_icdr=0,1,2,3,4 --licence "CC BY 4.0" --out unet.safetensors
            """)

    @Argument(help: .value("folder", "A diffusers folder."), completion: .directory) var folder: String
    @Option(help: .value("attribute=value,...", "What the classes are: values of an attribute, unknown, or null."))
    var classes: ClassNames?
    @Option(help: .value("pixels", "Side of the pictures where config.json has no sample_size.")) var size: Int?
    @Option(help: "Licence of the weights.") var licence = "unspecified"
    @Option(help: .value("text", "Whom to name; may be given several times.")) var attribution: [String] = []
    @Option(help: .value("file.safetensors", "The snapshot to write."), completion: .file()) var out: String
    @OptionGroup var common: CommonOptions

    func job() throws -> ImportModelJob {
        var job = ImportModelJob(folder: folder, to: out)
        job.classes = classes.map { ($0.attribute, $0.values) }
        (job.size, job.licence, job.attributions, job.replaces) = (size, licence, attribution, common.force)
        return job
    }
}

/// The meaning of classes, as a text such as `attribute=value,value,...`.
struct ClassNames: ExpressibleByArgument {
    let attribute: String
    let values: [String]

    init?(argument: String) {
        let sides = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard sides.count == 2 else { return nil }
        attribute = sides[0]
        values = sides[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
}

struct ExportModelCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "export-model",
        abstract: "Writes a snapshot as a diffusers folder, which UNet2DModel.from_pretrained reads.",
        discussion: """
            Weights that saw photographs of patients may hold them. A model that was trained on any leaves with a \
            passing audit of its own, or with --unaudited and a reason, which the folder's fovea.json keeps.

            Example: fovea export-model run/snapshot.safetensors --unaudited "stays in the hospital" --out unet
            """)

    @Argument(help: .value("snapshot", "A snapshot."), completion: .file()) var snapshot: String
    @Option(help: .value("reason", "Export without an audit for memorised patients, and why.")) var unaudited: String?
    @Option(
        help: .value("folder", "The folder of a passing audit of this snapshot, which fovea audit --model makes."),
        completion: .directory)
    var audit: String?
    @OptionGroup var officer: OfficerOptions
    @Option(help: .value("folder", "The folder to write."), completion: .directory) var out: String
    @OptionGroup var common: CommonOptions

    func job() throws -> ExportModelJob {
        var job = ExportModelJob(snapshot, to: out)
        (job.unaudited, job.audit, job.trust, job.replaces) = (unaudited, audit, officer.trust, common.force)
        return job
    }
}

struct DoctorCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Versions, CPU, BLAS, HDF5, memory, disk; what would go wrong.",
        discussion: "Exit code 1 where something would go wrong.\n\nExample: fovea doctor")

    @OptionGroup var common: CommonOptions
    func job() throws -> DoctorJob { DoctorJob() }
}

/// The command that the child process of a probe runs.
struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Reads an HDF5 file; fails where it is damaged.", shouldDisplay: false)

    @Argument var file: String
    @Flag(help: "Read the pictures, too, and print what is wrong as JSON.") var content = false
    @Flag(help: "Print the sites of a sample set's lineage as JSON.") var sites = false

    func run() async throws {
        let question: ProbeAnswer.Question = content ? .content : sites ? .sites : .structure
        if let answer = try await ProbeAnswer.answer(question, file) { print(answer) }
    }
}
