import CheckpointStore
import Datasets
import Diffusion
import Files
import Foundation
import Models
import Networks
import TensorCore

/// A training in which everything is resolved, before anything is written: settings, pictures, model, origin.
struct TrainingPlan {
    let configuration: TrainingConfiguration
    let training, validation: TrainingSet
    let description: ModelDescription
    let model: DiffusionModel
    let tuning: Tuning
    let lineage: TrainingLineage
    /// What the base and the data sets know of different attributes, one sentence each.
    let notes: [String]

    /// - Parameters:
    ///   - wanted: the settings.
    ///   - name: where the settings come from, for errors.
    /// - Throws: `Failure`: `.badData` for settings that contradict each other, the base or the data sets;
    ///   `.notPermitted` where the permissions of the base have ended; errors of reading.
    static func resolve(
        _ wanted: TrainingConfiguration, datasets: [DatasetFile], name: String
    ) async throws -> TrainingPlan {
        var wanted = wanted
        if let problem = wanted.problem { throw Failure(.badData, name, problem) }
        let origin = try usableBase(wanted.base)
        let comparison = origin.map { BaseComparison($0.manifest.model.cohort, datasets) }
        let encoding: CohortEncoding
        if let origin, let comparison, wanted.extendsBase {
            encoding = try comparison.extended(by: wanted.attributes, base: origin.path, file: name)
        } else {
            encoding =
                try origin?.manifest.model.cohort ?? CohortEncoding(wanted.attributes, over: datasets, file: name)
        }
        var base = origin?.extended(to: encoding)
        wanted.attributes = encoding.attributes
        var photographs = try await TrainingSet(datasets, split: .train, size: wanted.size, encoding: encoding)
        var validation = try await TrainingSet(datasets, split: .validation, size: wanted.size, encoding: encoding)
        photographs.measure(wanted.space.maps)
        validation.measure(wanted.space.maps)
        guard photographs.count > 0 else {
            throw Failure(.badData, datasets.map(\.path).joined(separator: ", "), "the train split holds no photograph")
        }
        let canaries =
            wanted.canaries.isEmpty
            ? nil
            : try CanarySet(
                try await DatasetFile.open(wanted.canaries), seed: wanted.seed, repetitions: wanted.canaryRepetitions)
        var training = photographs
        if let canaries {
            let added = try await TrainingSet(
                [(canaries.dataset, canaries.trainingRows)], size: wanted.size, encoding: encoding)
            training = TrainingSet(joining: [photographs, added], size: wanted.size)
        }
        wanted.measure(training)
        var description = wanted.description(encoding)
        // A guiding network that the base lacks is trained from nothing, where all weights are trained.
        if let guiding = description.guiding, wanted.adapterToTrain == nil, let own = base,
            own.manifest.model.guiding == nil
        {
            base = own.with(guiding: guiding, seed: wanted.seed)
        }
        if let base, base.manifest.model != description {
            throw Failure(
                .badData, name, field: "network", expected: "the settings of \(base.path)", found: "other settings")
        }
        description.adapter = wanted.adapterToTrain
        if let problem = description.problem { throw Failure(.badData, name, problem) }
        let model = DiffusionModel(description)
        return TrainingPlan(
            configuration: wanted, training: training, validation: validation, description: description, model: model,
            tuning: Tuning(
                model.specifications, base: base, adapter: description.adapter,
                added: origin.flatMap { model.addedRows(to: $0.manifest.model.cohort) }),
            lineage: try TrainingLineage(
                datasets.map { TrainingData($0, attributes: encoding.attributes) }, base: base,
                canaries: canaries?.record),
            notes: comparison?.notes(encoding) ?? [])
    }

    /// The base, whose permissions must not have ended; nil where there is no base.
    private static func usableBase(_ path: String) throws -> LoadedModel? {
        guard !path.isEmpty else { return nil }
        let base = try LoadedModel(contentsOf: path)
        if let ended = try base.permissions(), ended.isExpired(at: Date()) {
            throw Failure(.notPermitted, base.path, "its permissions ended on \(ended.expires ?? "")")
        }
        guard base.manifest.model.height == base.manifest.model.width else {
            throw Failure(
                .badData, base.path, field: "model", expected: "square pictures, as data sets hold them",
                found: "others")
        }
        return base
    }

    /// The saved state of a run that began with this plan.
    /// - Throws: `Failure(.badData)` where the checkpoint belongs to another model, base, training set or set of
    ///   canaries.
    func state(_ path: String) throws -> TrainingState {
        let (file, _) = try ModelFile.read(path, kind: .checkpoint)
        let found = file.manifest.trainingData.map(\.digest), expected = lineage.data.map(\.digest)
        guard found == expected else {
            throw Failure(
                .badData, path, field: "training set", expected: found.joined(separator: ", "),
                found: expected.joined(separator: ", "))
        }
        guard file.manifest.canaries == lineage.canaries else {
            throw Failure(
                .badData, path, field: "canaries", expected: file.manifest.canaries?.digest ?? "none",
                found: lineage.canaries?.digest ?? "none, or others")
        }
        guard file.manifest.parents == lineage.parents else {
            throw Failure(
                .badData, path, field: "base", expected: file.manifest.parents.first ?? "none",
                found: lineage.parents.first ?? "none")
        }
        guard file.manifest.model == description else {
            throw Failure(.badData, path, "is of another model than config.yaml describes")
        }
        return try TrainingState(
            tuning.specifications, averages: configuration.averageLengths.count, fileTensors: file.tensors,
            numbers: file.manifest.state ?? [:], imagesSeen: file.manifest.imagesSeen, file: path)
    }

    /// A trainer before its first step.
    /// - Parameter momentsFrom: a checkpoint whose Adam moments the trainer starts with; nil for zeros.
    func trainer(momentsFrom: String?) throws -> Trainer {
        let trainer = Trainer(configuration, model, tuning, data: training)
        if let momentsFrom {
            let before = try ModelFile.read(momentsFrom, kind: .checkpoint).file
            try trainer.state.takeMoments(
                fileTensors: before.tensors, numbers: before.manifest.state ?? [:], file: momentsFrom)
        }
        return trainer
    }
}

/// The origin of a training: its data, and what it inherits from its base.
struct TrainingLineage {
    /// The training's own training sets.
    let data: [TrainingData]
    /// The training sets of the base.
    let baseData: [TrainingData]
    /// The digests of the base and of the models that it came from, nearest first.
    let parents: [String]
    let permittedUses: [String]
    let permissions: Permissions?
    let notAlone: [String]?
    let merges: [MergeRecord]?
    /// The canaries of this training.
    let ownCanaries: CanaryRecord?
    /// The canaries of this training, or else those that the base was trained with.
    let canaries: CanaryRecord?

    init(_ data: [TrainingData], base: LoadedModel?, canaries own: CanaryRecord?) throws {
        ownCanaries = own
        canaries = own ?? base?.manifest.canaries
        self.data = data
        baseData = (base?.manifest.trainingData ?? []).map { set in
            var set = set
            set.inherited = true
            return set
        }
        parents = base.map { [$0.digest.description] + $0.manifest.parents } ?? []
        permittedUses = base?.manifest.permittedUses ?? []
        notAlone = base?.manifest.notAloneInherited
        permissions = try base.flatMap { try $0.manifest.effectivePermissions(path: $0.path) }
        merges = base?.manifest.merges
    }
}
