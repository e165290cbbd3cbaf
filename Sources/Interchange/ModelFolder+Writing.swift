import CheckpointStore
import Diffusion
import Files
import Foundation
import Models
import Networks
import TensorCore

extension ModelFolder {
    /// Writes a snapshot as a new folder, completely or not at all.
    ///
    /// - Parameters:
    ///   - audit: the passing audit that the model is exported with; the caller has checked the audit.
    ///   - unaudited: the reason for exporting without an audit for memorised patients, where the model saw patients.
    /// - Throws: `Failure`: `.cannotCreateOutput` where the folder exists and `force` is false, or is not an exported
    ///   model; `.notPermitted` where the model was trained with canaries, or saw photographs of patients and has
    ///   neither audit nor reason; `.badData` for a model of several networks; `.readOrWriteFailed`.
    public func write(_ model: LoadedModel, audit: PassedAudit? = nil, unaudited: String?, force: Bool) throws {
        try model.manifest.requireNoCanaries(path: model.path)
        guard model.manifest.model.experts.isEmpty else {
            throw Failure(
                .badData, model.path, field: "model", expected: "one network, as a diffusers folder holds it",
                found: "\(model.manifest.model.experts.count + 1) networks")
        }
        let files = FileManager.default
        if files.fileExists(atPath: path) {
            guard force else { throw Failure(.cannotCreateOutput, path, "exists already", remedy: .replace) }
            // A mistake in the path must not delete another folder.
            guard has("fovea.json") else {
                throw Failure(
                    .cannotCreateOutput, path,
                    "is not a folder that export-model wrote (it has no fovea.json), so it is not replaced")
            }
        }
        let reason = unaudited.flatMap { $0.contains { !$0.isWhitespace } ? $0 : nil }
        let sites = Set(model.manifest.trainingData.filter { $0.synthetic != true }.map(\.site)).sorted()
        guard sites.isEmpty || reason != nil || audit != nil else {
            throw Failure(
                .notPermitted, model.path,
                """
                was trained on photographs of patients (\(sites.joined(separator: ", "))) and has no audit
                """, remedy: .auditOrReason)
        }
        let staging = ModelFolder(StagedFile.stagingPath(for: path))
        do {
            try files.createDirectory(atPath: staging.path, withIntermediateDirectories: false)
        } catch {
            throw Failure(
                .cannotCreateOutput, path, "the folder could not be made: \(SystemReason.text(error))")
        }
        defer { try? files.removeItem(atPath: staging.path) }
        try staging.fill(model, audit: audit, unaudited: reason)
        do {
            // The old folder is moved away before the new folder takes its place, and is deleted only then.
            let before = staging.path + ".before"
            if files.fileExists(atPath: path) { try files.moveItem(atPath: path, toPath: before) }
            try files.moveItem(atPath: staging.path, toPath: path)
            try? files.removeItem(atPath: before)
        } catch {
            throw Failure(.readOrWriteFailed, path, "could not be written: \(SystemReason.text(error))")
        }
    }

    private func fill(_ model: LoadedModel, audit: PassedAudit?, unaudited: String?) throws {
        let description = model.manifest.model, cohort = description.cohort
        var theirs = DiffusersUNet(description.network)
        let latent = description.latentShape(1)
        theirs.sampleSize = latent[1] == latent[2] ? .square(latent[1]) : .sides([latent[1], latent[2]])
        if let classes = cohort.classes {
            theirs.numClassEmbeds = classes.values.count
        } else if cohort.rowCount > 0 || description.takesEmbedding {
            theirs.classEmbedType = "identity"
        }
        try write(try theirs.json(), "config.json")
        if description.preconditioning.kind == .discrete {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try write(
                try encoder.encode(DiffusersScheduler(description.preconditioning.discrete)), "scheduler_config.json")
        }
        var sources = model.parameters.fileSources()
        if let table = sources.removeValue(forKey: DiffusionModel.cohortPath) {
            try writeTensors([DiffusionModel.cohortPath: table], ModelFolder.cohortName)
        }
        try writeTensors(sources, ModelFolder.weightsName)
        var manifest = model.manifest
        manifest.parents = [model.digest.description] + manifest.parents
        manifest.unaudited = unaudited
        manifest.state(audit)
        try write(Data(try manifest.json().utf8), "fovea.json")
        try write(Data(ModelFolder.readMe(model).utf8), "README.md")
    }

    private func write(_ data: Data, _ name: String) throws {
        let staged = try StagedFile(file(name))
        try staged.write(data)
        try staged.commit()
    }

    /// diffusers requires the metadata entry that names the format of the weights.
    private func writeTensors(_ sources: [String: TensorSource], _ name: String) throws {
        let staged = try StagedFile(file(name))
        try staged.write { append in try Safetensors.write(sources, metadata: ["format": "pt"], as: .f32, to: append) }
        try staged.commit()
    }

    /// The text of `README.md`, for a person who opens the folder.
    private static func readMe(_ model: LoadedModel) -> String {
        let manifest = model.manifest, description = manifest.model
        let shape = description.latentShape(1)
        let preconditioning =
            description.preconditioning.kind == .discrete
            ? "`scheduler_config.json` says which noise levels the timesteps stand for and what the network predicts."
            : """
            The network F is used as a denoiser, D(x; sigma) = c_skip x + c_out F(c_in x, 25 ln sigma), with the \
            coefficients \
            that `fovea.json` names under `model.preconditioning`.
            """
        let cohort =
            description.cohort.rowCount > 0 && description.cohort.classes == nil
            ? """

            `class_labels` takes [N, \(description.network.embeddingWidth)]: coefficients [N, \
            \(description.cohort.rowCount)] \
            times the table in `cohort_embedding.safetensors`, whose rows are those of `model.cohort` in `fovea.json`.
            """ : ""
        return """
            # A diffusion model of colour fundus photographs

            Written by `fovea export-model` from the snapshot \(model.digest).

            `UNet2DModel.from_pretrained` reads this folder. Input and output are [N, \(shape[3]), \(shape[1]), \
            \(shape[2])], \
            \(description.space.name) of photographs of \(description.width) x \(description.height) in [-1, 1]. \
            \(preconditioning)\(cohort)

            Licence: \(manifest.licence)
            \(manifest.attributions.map { "\n- \($0)" }.joined())

            `fovea import-model` makes a snapshot of it again, after further training, too.

            """
    }
}
