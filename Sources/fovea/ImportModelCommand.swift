import ArgumentParser
import CheckpointStore
import Diffusion
import Files
import Interchange
import Models
import Networks

struct ImportModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import-model",
        abstract: "Makes a snapshot of a diffusers folder (UNet2DModel), to sample from or to train on.",
        discussion: """
            The folder holds config.json, diffusion_pytorch_model.safetensors and, where the network was trained at \
            discrete \
            timesteps, scheduler_config.json. Block types that Fovea does not compute are refused by name. The numbers \
            stay as \
            they are (F32).

            Classes (num_class_embeds) have no names in a diffusers folder: say them in the order of their rows.

            Example:
              fovea import-model unet --classes dr_icdr=0,1,2,3,4 --licence "CC BY 4.0" --out unet.safetensors
            """)

    @Argument(help: ArgumentHelp("A diffusers folder.", valueName: "folder"))
    var folder: String

    @Option(
        help: ArgumentHelp(
            """
            What the classes stand for: values of an attribute, unknown, or null (what condition dropout was trained \
            with).
            """,
            valueName: "attribute=value,..."))
    var classes: ClassNames?

    @Option(
        help: ArgumentHelp(
            "Height and width of the pictures where config.json has no sample_size.", valueName: "pixels"))
    var size: Int?

    @Option(help: "Licence of the weights.")
    var licence: String = "unspecified"

    @Option(help: ArgumentHelp("Whom to name; may be given several times.", valueName: "text"))
    var attribution: [String] = []

    @Option(help: ArgumentHelp("The snapshot to write.", valueName: "file.safetensors"))
    var out: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        common.apply()
        try StagedFile.requireWritable(out, force: common.force)
        var terms = ModelFolder.Terms()
        terms.size = size
        terms.licence = licence
        terms.attributions = attribution
        if let classes { terms.classes = ClassRows(attribute: classes.attribute, values: classes.values) }
        if let problem = terms.classes?.problem { throw Failure(.usage, nil, "--classes: \(problem)") }
        let (manifest, parameters) = try ModelFolder(folder).read(terms)
        let digest = try ModelFile.write(out, manifest, parameters.fileSources(), as: .f32, force: common.force)
        let model = manifest.model
        let result = Result(
            output: out, model: digest.description, parameters: parameters.parameterCount, width: model.width,
            height: model.height,
            classes: model.cohort.classes?.values.count)
        var lines = ["\(out): \(result.parameters) parameters for \(model.width) x \(model.height), digest \(digest)"]
        if let classes = model.cohort.classes, classes.attribute.isEmpty {
            lines.append(
                """
                its \(classes.values.count) classes have no names; --classes ATTRIBUTE=VALUE,VALUE,... gives them, \
                and sampling needs them
                """
            )
        }
        if model.takesEmbedding {
            lines.append("it takes class embeddings that the folder does not hold: they are 0 in sampling")
        }
        try common.console.finish(result, lines)
    }

    private struct Result: Encodable {
        let output, model: String
        let parameters, width, height: Int
        let classes: Int?
    }
}

/// `attribute=value,value,...`
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
