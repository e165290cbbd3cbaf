import ArgumentParser
import Files
import Interchange
import Models
import Networks

struct ExportModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export-model",
        abstract: "Writes a snapshot as a diffusers folder, which UNet2DModel.from_pretrained reads.",
        discussion: """
            Weights that saw photographs of patients may hold them. A model that was trained on any leaves with a \
            passing audit of its \
            own, or with --unaudited and a reason, which the folder's fovea.json keeps.

            Example:
              fovea export-model run/snapshot.safetensors --unaudited "stays in the hospital" --out unet
            """)

    @Argument(help: ArgumentHelp("A snapshot.", valueName: "snapshot"))
    var snapshot: String

    @Option(help: ArgumentHelp("Export without an audit for memorised patients, and why.", valueName: "reason"))
    var unaudited: String?

    @Option(
        help: ArgumentHelp(
            "The folder of a passing audit of this snapshot, which fovea audit --model makes.", valueName: "folder"))
    var audit: String?

    @OptionGroup var officer: OfficerOptions

    @Option(help: ArgumentHelp("The folder to write.", valueName: "folder"))
    var out: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        common.apply()
        let model = try LoadedModel(contentsOf: snapshot)
        let passed = try audit.map { try officer.gate($0, own: nil, model: model.digest) }
        try ModelFolder(out).write(model, audit: passed, unaudited: unaudited, force: common.force)
        try common.console.finish(
            Result(output: out, model: model.digest.description, parameters: model.parameters.parameterCount),
            ["\(out): \(model.parameters.parameterCount) parameters of \(model.digest)"])
    }

    private struct Result: Encodable {
        let output, model: String
        let parameters: Int
    }
}
