import CheckpointStore
import Diffusion
import Files
import Networks
import TensorCore

/// A snapshot that is ready to sample from or to train on, with or without adapters mixed in.
public struct LoadedModel: Sendable {
    public let path: String
    /// SHA-256 of the file's bytes; for a mixture, a digest over the digests of the base and the adapters and over the
    /// weights.
    public let digest: Digest
    public let manifest: Manifest<ModelDescription>
    public let model: DiffusionModel
    public let parameters: ParameterMap
    /// The adapters that are mixed in, with their weights.
    public let mixture: [MixedAdapter]

    /// Reads a snapshot.
    /// - Throws: `Failure`: `.noSuchInput` where there is no file; `.badData` where it is not a snapshot, or its
    ///   contents do not fit together; `.notPermitted` where its signature does not fit the contents.
    public init(contentsOf path: String) throws {
        var (file, digest) = try ModelFile.read(path, kind: .snapshot)
        let description = file.manifest.model
        if let problem = description.problem ?? description.unmeasured {
            throw Failure(.badData, path, "manifest: model.\(problem)")
        }
        try WeightsSignature.requireIntact(path, isParcel: file.manifest.parcel != nil)
        self.path = path
        self.digest = digest
        manifest = file.manifest
        model = DiffusionModel(file.manifest.model)
        let tensors = file.tensors
        file.tensors = [:]
        parameters = try ParameterMap(model.specifications, fileTensors: tensors, file: path)
        try parameters.requireFinite(file: path)
        mixture = []
    }

    private init(_ base: LoadedModel, _ adapters: [(adapter: Adapter, as: MixedAdapter)]) {
        path = base.path
        manifest = base.manifest
        model = base.model
        mixture = adapters.map(\.as)
        parameters = base.parameters.adding(adapters.map { ($0.adapter, $0.as.weight) })
        // Names and order of the adapters do not matter: the same files with the same weights give the same digest.
        digest = LoadedModel.mixtureDigest(base.digest.description, mixture.map { ($0.digest, $0.weight) })
    }

    /// - Parameter seed: of the parameters that the base does not have.
    private init(_ base: LoadedModel, extendedTo description: ModelDescription, seed: UInt64 = 0) {
        (path, digest, mixture) = (base.path, base.digest, base.mixture)
        var manifest = base.manifest
        manifest.model = description
        self.manifest = manifest
        model = DiffusionModel(description)
        // The networks that are there do not depend on the encoding; the table alone grows.
        var known = Dictionary(
            uniqueKeysWithValues: zip(base.parameters.specifications.map(\.path), base.parameters.tensors))
        if description.cohort != base.manifest.model.cohort {
            known[DiffusionModel.cohortPath] = model.cohortTable(
                from: known[DiffusionModel.cohortPath], of: base.manifest.model.cohort)
        }
        let fresh = ParameterMap(model.specifications, seed: seed)
        parameters = ParameterMap(
            model.specifications, tensors: zip(model.specifications, fresh.tensors).map { known[$0.path] ?? $1 })
    }

    /// This model with more attributes or more names of open attributes, whose rows of the cohort table are zero. It
    /// draws what the model draws. It keeps the digest of the file that it came from.
    /// - Parameter cohort: extends the model's encoding.
    public func extended(to cohort: CohortEncoding) -> LoadedModel {
        if !cohort.extends(manifest.model.cohort) { fatalError("\(path) cannot be extended to \(cohort.attributes)") }
        guard cohort != manifest.model.cohort else { return self }
        var description = manifest.model
        description.cohort = cohort
        return LoadedModel(self, extendedTo: description)
    }

    /// This model with a guiding network that has not been trained. It keeps the digest of the file that it came from.
    public func with(guiding: ExpertNetwork, seed: UInt64) -> LoadedModel {
        var description = manifest.model
        description.guiding = guiding
        return LoadedModel(self, extendedTo: description, seed: seed)
    }

    private static func mixtureDigest(_ base: String, _ adapters: [(digest: Digest, weight: Double)]) -> Digest {
        let parts = adapters.map { "\($0.digest) \($0.weight)" }.sorted()
        return Digest(of: Array("fovea-mixture-1\n\(base)\n\(parts.joined(separator: "\n"))".utf8))
    }

    /// The digest of a base with one adapter that is mixed in with weight 1.
    /// - Parameter base: the base's digest.
    public static func mixtureDigest(base: String, adapter: Digest) -> Digest { mixtureDigest(base, [(adapter, 1)]) }

    /// This model with adapters mixed in, each a file of kind `fovea.adapter` that was trained on it.
    ///
    /// - Throws: `Failure`: `.noSuchInput` where there is no file; `.badData` for a file that is not an adapter,
    ///   belongs to another base, or does not fit; `.notPermitted` where its signature does not fit the contents.
    public func mixing(_ adapters: [(name: String, path: String, weight: Double)]) throws -> LoadedModel {
        LoadedModel(
            self,
            try adapters.map { name, path, weight in
                let (file, digest) = try ModelFile.read(path, kind: .adapter)
                try WeightsSignature.requireIntact(path, isParcel: file.manifest.parcel != nil)
                guard file.manifest.parents.first == self.digest.description else {
                    throw Failure(
                        .badData, path, field: "base", expected: self.digest.description,
                        found: file.manifest.parents.first ?? "none")
                }
                guard file.manifest.model.cohort == manifest.model.cohort else {
                    throw Failure(
                        .badData, path,
                        """
                        was trained with attributes that the base lacks, so it cannot be mixed in; sample from the \
                        snapshot that was written beside it, which is whole
                        """)
                }
                guard let configuration = file.manifest.model.adapter, configuration.problem == nil else {
                    throw Failure(
                        .badData, path, field: "model.adapter", expected: "the adapter's settings",
                        found: file.manifest.model.adapter?.problem ?? "none")
                }
                let adaptation = Adaptation(configuration, base: model.specifications, baseDigest: self.digest)
                let adapter = try Adapter(adaptation, fileTensors: file.tensors, file: path)
                try adapter.parameters.requireFinite(file: path)
                let sites = Set(file.manifest.trainingData.filter { $0.inherited != true }.map(\.site)).sorted()
                return (
                    adapter,
                    MixedAdapter(
                        name: name, weight: weight, digest: digest, sites: sites,
                        trainingData: file.manifest.trainingData,
                        permissions: try file.manifest.effectivePermissions(path: path))
                )
            })
    }
}

/// One adapter of a mixture.
public struct MixedAdapter: Sendable {
    public let name: String
    /// The factor of the adapter's difference from the base.
    public let weight: Double
    /// SHA-256 of the adapter's file.
    public let digest: Digest
    /// The sites at which the adapter was trained.
    public let sites: [String]
    public let trainingData: [TrainingData]
    /// What the adapter's site permits; nil where nobody said anything.
    public let permissions: Permissions?
}

extension ParameterMap {
    /// - Throws: `Failure(.badData)` that names the first parameter with a number that is not finite.
    package func requireFinite(file: String) throws {
        for (specification, tensor) in zip(specifications, tensors) where !tensor.isFinite {
            throw Failure(
                .badData, file, field: specification.path, expected: "finite numbers", found: "infinity or NaN")
        }
    }
}
