import CheckpointStore
import Files
import Foundation
import TensorCore

/// Weights that a site shares: a weights file with the site's statement and signature. The file stays open, and a
/// tensor is read when it is asked for.
public struct Parcel<Model: Codable & Sendable>: Sendable {
    public let path: String
    public let manifest: Manifest<Model>
    public let statement: ParcelStatement
    /// The public key whose owner signed the parcel.
    public let signer: PublicKey
    /// SHA-256 of what was signed. Every file with the same signed content has the same digest.
    public let digest: Digest
    package let index: SafetensorsIndex
    /// The signed line about each tensor, by the tensor's name.
    package let table: [String: WeightsSignature.Line]

    /// Reads a parcel and checks its signature.
    /// - Throws: `Failure(.noSuchInput)`; `Failure(.badData)` where the file is no weights file or has no statement;
    ///   `Failure(.notPermitted)` where it is unsigned or the signature does not fit.
    public init(contentsOf path: String) throws {
        index = try SafetensorsIndex(contentsOf: path)
        manifest = try Manifest<Model>.read(index, path: path)
        guard let statement = manifest.parcel else {
            throw Failure(.badData, path, "is not a parcel: its manifest names no site that shares it")
        }
        guard let signed = try WeightsSignature.signedTable(of: index, path: path) else {
            throw Failure(.notPermitted, path, "is unsigned")
        }
        self.path = path
        self.statement = statement
        signer = signed.signer
        digest = signed.digest
        table = Dictionary(uniqueKeysWithValues: signed.table.map { ($0.name, $0) })
    }

    /// The type that stores all numbers of the parcel without loss: the type of its tensors where they have one type,
    /// otherwise float32.
    public var storedType: StoredType {
        let types = Set(index.entries.map(\.type))
        return types.count == 1 ? types.first ?? .f32 : .f32
    }

    /// Checks that a list trusts the parcel's signer at `moment`, for the site that the statement names.
    /// - Throws: `Failure(.notPermitted)` with the reason.
    @discardableResult
    public func requireTrust(_ list: TrustList, at moment: Date) throws -> TrustList.Member {
        try list.requireParcel(manifest, statement, signer: signer, at: moment, path: path)
    }
}

extension TrustList {
    /// Checks that a parcel with this manifest and statement, signed by `signer`, is accepted at `moment`.
    /// - Throws: `Failure(.notPermitted)` with the reason.
    @discardableResult
    func requireParcel<Model>(
        _ manifest: Manifest<Model>, _ statement: ParcelStatement, signer: PublicKey, at moment: Date, path: String
    ) throws -> Member {
        let member = try member(signing: signer, as: statement.site, at: moment, file: path)
        guard !statement.permissions.isExpired(at: moment) else {
            throw Failure(.notPermitted, path, "its permissions ended on \(statement.permissions.expires ?? "")")
        }
        if let gone = manifest.sites.intersection(withdrawn).sorted().first {
            throw Failure(
                .notPermitted, path,
                "\(gone.printable) was withdrawn\(reason(withdrawn: gone)), and these weights come from it, too")
        }
        guard member.role == .site else {
            throw Failure(
                .notPermitted, path, field: "role of \(member.name)", expected: Role.site.rawValue,
                found: member.role.rawValue)
        }
        try manifest.requireNoCanaries(path: path)
        guard member.unaudited || manifest.unaudited == nil else {
            throw Failure(
                .notPermitted, path,
                """
                has no audit (\(manifest.unaudited?.printable ?? "")), and \(self.path) does not allow that to \
                \(member.name): the coordinator can set unaudited: true in its line
                """
            )
        }
        return member
    }
}

/// Makes parcels.
public enum ParcelSeal {
    /// Seals a site's weights.
    ///
    /// The digests of the training sets that the weights themselves were trained on become HMACs under a secret of the
    /// site's key. Paths are removed from the settings.
    /// - Parameters:
    ///   - weights: an adapter or a snapshot.
    ///   - trust: a list of trust that must accept the parcel; nil where none is known.
    ///   - audit: the passing audit of these weights, which the caller has checked.
    ///   - unaudited: why there is no audit for memorised patients. Weights that saw photographs of patients need an
    ///     audit or this reason.
    /// - Returns: the digest of the parcel's file.
    /// - Throws: `Failure(.notPermitted)` where the weights saw photographs of patients and have neither an audit nor a
    ///   reason, where `trust` refuses them, or where the base permits nothing of what the site permits;
    ///   `Failure(.badData)` where they are a checkpoint, a parcel or of another site; `Failure(.usage)` where
    ///   the statement is not valid; `Failure(.cannotCreateOutput)`; `Failure(.readOrWriteFailed)`.
    public static func seal<Model: Codable & Sendable>(
        _ weights: WeightsFile<Model>, path: String, statement: ParcelStatement, audit: PassedAudit? = nil,
        unaudited: String?, trust: TrustList? = nil, key: SigningKey, to output: String,
        as type: StoredType = .f16, force: Bool
    ) throws -> Digest {
        var manifest = weights.manifest
        guard manifest.kind != .checkpoint else {
            throw Failure(.badData, path, field: "kind", expected: "an adapter or a snapshot", found: "a checkpoint")
        }
        guard manifest.parcel == nil else { throw Failure(.badData, path, "is a parcel already") }
        try manifest.requireNoCanaries(path: path)
        let own = manifest.trainingData.indices.filter { manifest.trainingData[$0].inherited != true }
        guard !own.isEmpty, own.allSatisfy({ manifest.trainingData[$0].site == statement.site }) else {
            let sites = Set(own.map { manifest.trainingData[$0].site }).sorted().joined(separator: ", ")
            throw Failure(
                .badData, path, field: "site", expected: sites.isEmpty ? "a site that it was trained at" : sites,
                found: statement.site)
        }
        let reason = unaudited.flatMap { $0.contains { !$0.isWhitespace } ? $0 : nil }
        guard own.allSatisfy({ manifest.trainingData[$0].synthetic == true }) || reason != nil || audit != nil else {
            throw Failure(
                .notPermitted, path, "was trained on photographs of patients and has no audit", remedy: .auditOrReason)
        }
        if let problem = statement.problem { throw Failure(.usage, nil, problem) }
        for number in own { manifest.trainingData[number].digest = key.protected(manifest.trainingData[number].digest) }
        manifest.configuration = withoutPaths(manifest.configuration)
        manifest.permittedUses = statement.permissions.purposes.sorted()
        manifest.unaudited = reason
        manifest.state(audit)
        manifest.parcel = statement
        _ = try manifest.effectivePermissions(path: path)
        try trust?.requireParcel(manifest, statement, signer: key.publicKey, at: Date(), path: path)
        let sources = weights.tensors.mapValues { tensor in TensorSource(shape: tensor.shape) { tensor } }
        return try WeightsFile.write(output, manifest, sources, as: type, force: force, key: key)
    }

    /// The settings without the path of the base on the site's machine.
    static func withoutPaths(_ configuration: String) -> String {
        configuration.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("base:") ? "base: ''" : String($0) }.joined(separator: "\n")
    }
}
