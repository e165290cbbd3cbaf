import Files
import Foundation
import TensorCore

/// What a weights file is.
public enum WeightsKind: String, Codable, Sendable {
    /// Everything needed to resume training.
    case checkpoint = "fovea.checkpoint"
    /// EMA weights, for use.
    case snapshot = "fovea.snapshot"
    /// What a base's weights are changed by: the base is the first of the parents.
    case adapter = "fovea.adapter"
}

/// What a data set contributed: nothing that names a patient.
public struct TrainingData: Codable, Hashable, Sendable {
    /// Digest of the training split; an HMAC where a site secret is used.
    public var digest: String
    public var site: String
    public var licence: String
    public var source: String
    /// One-way cohort counts, rounded to 5: attribute, then code name.
    public var cohortCounts: [String: [String: Int]]
    /// Patients in the training split, rounded to 5.
    public var patients: Int
    /// The largest combinations of values (attribute: name) that at least five patients have; what is a part of one is
    /// supported, too. Nil where a file of older versions does not say.
    public var combinations: [[String: String]]?
    /// Whether its pictures were drawn and show no patient; nil where a file of older versions does not say.
    public var synthetic: Bool?
    /// True where the base was trained on it, and these weights were not.
    public var inherited: Bool?

    public init(
        digest: String, site: String, licence: String, source: String, cohortCounts: [String: [String: Int]],
        patients: Int,
        combinations: [[String: String]]? = nil, synthetic: Bool? = nil
    ) {
        self.digest = digest
        self.site = site
        self.licence = licence
        self.source = source
        self.cohortCounts = cohortCounts
        self.patients = patients
        self.combinations = combinations
        self.synthetic = synthetic
    }

    /// Rounds to the nearest 5, which is what leaves a site.
    public static func rounded(_ count: Int) -> Int { (count + 2) / 5 * 5 }
}

/// The manifest of a weights file: JSON under the metadata key `fovea`.
///
/// `Model` is the description of the architecture, which this target does not know.
public struct Manifest<Model: Codable & Sendable>: Codable, Sendable {
    public var kind: WeightsKind
    public var version = 1
    public var model: Model
    public var cohortSchemaVersion: Int
    /// Training images that the weights have seen.
    public var imagesSeen: Int
    public var trainingData: [TrainingData]
    /// Digests of the weights that these came from, nearest first.
    public var parents: [String]
    public var licence: String
    public var attributions: [String]
    public var permittedUses: [String]
    /// The configuration of the training, as YAML.
    public var configuration: String
    public var toolVersion: String
    /// The state of a checkpoint: what the tensors do not hold.
    public var state: [String: Double]?
    /// Why the weights left their site without an audit for memorised patients.
    public var unaudited: String?
    /// SHA-256 of the `audit.json` by which they left it.
    public var audit: Digest?
    /// What the site says that shares them.
    public var parcel: ParcelStatement?
    /// What may be done with the weights, where sites said so.
    public var permissions: Permissions?
    /// The merges that the weights came through, the last one first.
    public var merges: [MergeRecord]?
    /// Set where the weights, or any that they came from, were trained with canaries: they never leave their site.
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

    /// JSON with sorted keys: the same manifest gives the same bytes.
    public func json() throws -> String { try JSONText.encoded(self) }
}

extension Manifest {
    /// More training images than anybody shows a model.
    public static var mostImages: Int { 1_000_000_000_000 }

    /// The manifest of a file.
    /// - Throws: `Failure(.badData)` naming the key that is missing or wrong.
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
    /// - Throws: `Failure(.notPermitted)` where the weights were trained with canaries, whatever reason is given.
    public func requireNoCanaries(path: String) throws {
        if canaries != nil {
            throw Failure(
                .notPermitted, path, "was trained with canaries to measure what it remembers, and never leaves its site"
            )
        }
    }
}

extension Manifest {
    /// What the weights' sites and the site that shares them permit together; nil where none said anything.
    /// - Throws: `Failure(.notPermitted)` where they have nothing in common.
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

    /// Every site that the weights come from, by training set, parcel or merge.
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
    /// - Parameter kind: what it must be; nil takes any.
    /// - Returns: the file and the SHA-256 digest of its bytes.
    public static func read(_ path: String, kind: WeightsKind? = nil) throws -> (file: WeightsFile, digest: Digest) {
        let data = try mapped(path)
        // Digest and decoding read the same bytes side by side.
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
            throw Failure(.badData, path, field: "kind", expected: kind.rawValue, found: manifest.kind.rawValue)
        }
        return (WeightsFile(manifest: manifest, tensors: tensors), digest)
    }

    /// The bytes of the file at `path`, mapped: a copy would be as large as the weights.
    private static func mapped(_ path: String) throws -> Data {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) else {
            let exists = FileManager.default.fileExists(atPath: path)
            throw Failure(
                exists ? .readOrWriteFailed : .noSuchInput, path, exists ? "could not be read" : "does not exist")
        }
        return data
    }

    /// Writes the file, whole or not at all.
    /// - Returns: the digest of its bytes.
    @discardableResult
    public func write(_ path: String, as type: StoredType, force: Bool) throws -> Digest {
        let sources = tensors.mapValues { tensor in TensorSource(shape: tensor.shape) { tensor } }
        return try WeightsFile.write(path, manifest, sources, as: type, force: force)
    }

    /// Writes a file whose tensors are made one at a time.
    /// - Parameter key: signs it.
    /// - Returns: the digest of its bytes.
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
