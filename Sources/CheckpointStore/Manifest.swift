import Files
import Foundation
import TensorCore

/// What a weights file is for.
public enum WeightsKind: String, Codable, Sendable {
    /// Everything needed to resume training.
    case checkpoint = "fovea.checkpoint"
    /// EMA weights, ready for use.
    case snapshot = "fovea.snapshot"
    /// Changes to the weights of a base. The base is the first of the parents.
    case adapter = "fovea.adapter"
}

/// What one data set contributed to the training. Nothing in it names a patient.
public struct TrainingData: Codable, Hashable, Sendable {
    /// The digest of the training split, or its HMAC if a site secret is used.
    public var digest: String
    public var site: String
    public var licence: String
    public var source: String
    /// The counts of each attribute's values by themselves, rounded to 5: by attribute, then by name of a code.
    public var cohortCounts: [String: [String: Int]]
    /// The number of patients in the training split, rounded to 5.
    public var patients: Int
    /// The largest combinations of values (attribute: name) that at least five patients have. Every part of such a
    /// combination is supported, too. Nil if the file is of an older version that does not say.
    public var combinations: [[String: String]]?
    /// How many patients have which value of one attribute, and which values of two attributes together. Nil if the
    /// file is of an older version that does not say.
    public var jointCounts: [JointCount]?
    /// Whether its pictures were drawn and show no patient; nil if the file is of an older version that does not say.
    public var synthetic: Bool?
    /// How many of its pictures a trained model made; nil if none. They may show patients that the model memorised.
    public var sampled: Int?
    /// True if the base was trained on this data set and these weights were not.
    public var inherited: Bool?

    public init(
        digest: String, site: String, licence: String, source: String, cohortCounts: [String: [String: Int]],
        patients: Int,
        combinations: [[String: String]]? = nil, jointCounts: [JointCount]? = nil, synthetic: Bool? = nil,
        sampled: Int? = nil
    ) {
        self.digest = digest
        self.site = site
        self.licence = licence
        self.source = source
        self.cohortCounts = cohortCounts
        self.patients = patients
        self.combinations = combinations
        self.jointCounts = jointCounts
        self.synthetic = synthetic
        self.sampled = sampled
    }

    /// Rounds to the nearest 5. Only counts that were rounded leave a site.
    public static func rounded(_ count: Int) -> Int { (count + 2) / 5 * 5 }
}

/// The number of patients with certain values of one or two attributes.
///
/// Of all counts over the same attributes, each patient is in one alone: that of most of the patient's photographs. So
/// the counts of different values may be added.
public struct JointCount: Codable, Hashable, Sendable {
    /// The values by attribute.
    public var values: [String: String]
    /// The number of patients, rounded to 5. Counts that become 0 are left out.
    public var patients: Int

    public init(values: [String: String], patients: Int) {
        self.values = values
        self.patients = patients
    }

    /// The number of patients that there are at least.
    public var atLeast: Int { max(0, patients - 2) }
}

/// The manifest of a weights file: JSON under the metadata key `fovea`.
///
/// `Model` describes the architecture; this target does not know its type.
public struct Manifest<Model: Codable & Sendable>: Codable, Sendable {
    public var kind: WeightsKind
    public var version = 1
    public var model: Model
    public var cohortSchemaVersion: Int
    /// The number of training images that the weights have seen.
    public var imagesSeen: Int
    public var trainingData: [TrainingData]
    /// Digests of the weights from which these weights were made, nearest first.
    public var parents: [String]
    public var licence: String
    public var attributions: [String]
    public var permittedUses: [String]
    /// The configuration of the training, as YAML.
    public var configuration: String
    public var toolVersion: String
    /// The part of a checkpoint's state that the tensors do not hold.
    public var state: [String: Double]?
    /// Why the weights left their site without an audit for memorised patients.
    public var unaudited: String?
    /// SHA-256 of the `audit.json` that allowed the weights to leave their site.
    public var audit: Digest?
    /// The limits of that audit that are weaker than the defaults; nil for none.
    public var auditLimits: [String]?
    /// The statement of the site that shares the weights.
    public var parcel: ParcelStatement?
    /// What may be done with the weights, if their sites have said so.
    public var permissions: Permissions?
    /// Sites that do not permit sampling from them alone, and whose weights these are, or came from, since a parcel of
    /// theirs was opened; nil for none.
    public var notAlone: [String]?
    /// The merges in the history of the weights, the last one first.
    public var merges: [MergeRecord]?
    /// Set if these weights, or any from which they were made, were trained with canaries. Such weights never leave
    /// their site.
    public var canaries: CanaryRecord?

    public init(
        kind: WeightsKind, model: Model, cohortSchemaVersion: Int, imagesSeen: Int, trainingData: [TrainingData],
        parents: [String] = [], licence: String, attributions: [String], permittedUses: [String] = [],
        configuration: String, toolVersion: String, state: [String: Double]? = nil
    ) {
        self.kind = kind
        self.model = model
        self.cohortSchemaVersion = cohortSchemaVersion
        self.imagesSeen = imagesSeen
        self.trainingData = trainingData
        self.parents = parents
        self.licence = licence
        self.attributions = attributions
        self.permittedUses = permittedUses
        self.configuration = configuration
        self.toolVersion = toolVersion
        self.state = state
    }

    /// JSON with sorted keys, so that the same manifest gives the same bytes.
    /// - Throws: the encoder's error.
    public func json() throws -> String { try JSONText.encoded(self) }
}

extension Manifest {
    /// A limit for `imagesSeen` that no real training reaches.
    public static var mostImages: Int { 1_000_000_000_000 }

    /// Reads the manifest of a file.
    /// - Throws: `Failure(.badData)` that names the missing or wrong key.
    public static func read(_ file: SafetensorsIndex, path: String) throws -> Manifest {
        guard let json = file.metadata[WeightsSignature.manifestKey] else {
            throw Failure(.badData, path, "has no metadata key fovea, so it is not a weights file of Fovea")
        }
        let manifest: Manifest
        do {
            manifest = try JSONDecoder().decode(Manifest.self, from: Data(json.utf8))
        } catch {
            throw Failure(.badData, path, "manifest: \(JSONText.sentence(error))")
        }
        if let problem = manifest.parcel?.problem { throw Failure(.badData, path, "parcel.\(problem)") }
        guard (0...Manifest.mostImages).contains(manifest.imagesSeen) else {
            throw Failure(
                .badData, path, field: "imagesSeen", expected: "0 to \(Manifest.mostImages)",
                found: "\(manifest.imagesSeen)")
        }
        if let problem = (manifest.merges ?? []).lazy.compactMap(\.problem).first {
            throw Failure(.badData, path, "merges.\(problem)")
        }
        if let problem = manifest.permissions?.problem { throw Failure(.badData, path, "permissions.\(problem)") }
        guard manifest.version == 1 else {
            throw Failure(.badData, path, field: "manifest version", expected: "1", found: "\(manifest.version)")
        }
        return manifest
    }
}

extension Manifest {
    /// Refuses weights that were trained with canaries, whatever reason is given for sharing them.
    /// - Throws: `Failure(.notPermitted)`.
    public func requireNoCanaries(path: String) throws {
        if canaries != nil {
            throw Failure(
                .notPermitted, path, "was trained with canaries to measure what it remembers, and never leaves its site"
            )
        }
    }
}

extension Manifest {
    /// What the sites of the weights and the site that shares them permit in common; nil if no site has said anything.
    /// - Throws: `Failure(.notPermitted)` if their permissions have nothing in common.
    public func effectivePermissions(path: String) throws -> Permissions? {
        guard let own = parcel?.permissions, let inherited = permissions else {
            return parcel?.permissions ?? permissions
        }
        guard let both = own.intersection(inherited) else {
            throw Failure(
                .notPermitted, path,
                """
                what \(parcel?.site ?? "its site") permits has no purpose or no territory in common with what its \
                base permits
                """
            )
        }
        return both
    }

    /// `notAlone` of weights that are made from these.
    public var notAloneInherited: [String]? {
        let own = parcel.flatMap { $0.permissions.singleSite ? nil : [$0.site] } ?? []
        let all = Set(notAlone ?? []).union(own)
        return all.isEmpty ? nil : all.sorted()
    }

    /// All sites from which the weights come, through a training set, a parcel or a merge.
    public var sites: Set<String> {
        Set(trainingData.map(\.site)).union((merges ?? []).flatMap { $0.parts.map(\.site) }).union(
            parcel.map { [$0.site] } ?? [])
    }
}

/// A weights file with its manifest.
public struct WeightsFile<Model: Codable & Sendable>: Sendable {
    public var manifest: Manifest<Model>
    public var tensors: [String: Tensor]

    public init(manifest: Manifest<Model>, tensors: [String: Tensor]) {
        self.manifest = manifest
        self.tensors = tensors
    }

    /// Reads and checks a file.
    /// - Parameter kind: the kind that the file must have; nil accepts every kind.
    /// - Returns: the file and the SHA-256 digest of its bytes.
    /// - Throws: `Failure`: `.noSuchInput`, `.readOrWriteFailed`, `.badData`.
    public static func read(_ path: String, kind: WeightsKind? = nil) throws -> (file: WeightsFile, digest: Digest) {
        let data = try mapped(path)
        // The digest and the decoding read the same bytes in parallel.
        nonisolated(unsafe) var digest: Digest?, decoded: Result<(SafetensorsIndex, [String: Tensor]), any Error>?
        DispatchQueue.concurrentPerform(iterations: 2) { part in
            if part == 0 {
                digest = Digest(of: data)
            } else {
                decoded = Result {
                    let index = try SafetensorsIndex(data, path: path)
                    return (index, try index.tensors())
                }
            }
        }
        guard let digest, let decoded else { fatalError("WeightsFile.read: a part did not run") }
        let (index, tensors) = try decoded.get()
        let manifest = try Manifest<Model>.read(index, path: path)
        if let kind, manifest.kind != kind {
            if let parcel = manifest.parcel, manifest.kind == .adapter {
                throw Failure(
                    .badData, path,
                    """
                    is a parcel of \(parcel.site) that holds an adapter and no whole model; a merge or the folder of a \
                    round takes it, or it is mixed into its base
                    """)
            }
            throw Failure(.badData, path, field: "kind", expected: kind.rawValue, found: manifest.kind.rawValue)
        }
        return (WeightsFile(manifest: manifest, tensors: tensors), digest)
    }

    /// The bytes of the file at `path`, mapped into memory, because a copy would be as large as the weights.
    private static func mapped(_ path: String) throws -> Data {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) else {
            let exists = FileManager.default.fileExists(atPath: path)
            throw Failure(
                exists ? .readOrWriteFailed : .noSuchInput, path, exists ? "could not be read" : "does not exist")
        }
        return data
    }

    /// Writes the file, complete or not at all.
    /// - Returns: the digest of its bytes.
    /// - Throws: `Failure`: `.usage` for an empty path, `.cannotCreateOutput`, `.readOrWriteFailed`.
    @discardableResult
    public func write(_ path: String, as type: StoredType, force: Bool) throws -> Digest {
        let sources = tensors.mapValues { tensor in TensorSource(shape: tensor.shape) { tensor } }
        return try WeightsFile.write(path, manifest, sources, as: type, force: force)
    }

    /// Writes a file and makes its tensors one at a time.
    /// - Parameter key: signs the file; nil leaves it unsigned.
    /// - Returns: the digest of the file's bytes.
    /// - Throws: `Failure`: `.usage` for an empty path, `.cannotCreateOutput`, `.readOrWriteFailed`.
    @discardableResult
    public static func write(
        _ path: String, _ manifest: Manifest<Model>, _ sources: [String: TensorSource], as type: StoredType,
        force: Bool, key: SigningKey? = nil
    ) throws -> Digest {
        let json = try manifest.json()
        var metadata = [WeightsSignature.manifestKey: json]
        if let key {
            let signature = try WeightsSignature.sign(manifest: json, sources, as: type, with: key)
            metadata[WeightsSignature.metadataKey] = try JSONText.encoded(signature)
        }
        let staged = try StagedFile(path, force: force)
        var digest = DigestBuilder()
        try staged.write { append in
            try Safetensors.write(sources, metadata: metadata, as: type) { bytes in
                digest.update(bytes)
                try append(bytes)
            }
        }
        try staged.commit()
        return digest.finalize()
    }
}
