import CheckpointStore
import Files
import Foundation
import TensorCore

/// Weights that a site shares: a weights file with the site's statement and signature. The file stays open; its tensors
/// are read when they are asked for.
public struct Parcel<Model: Codable & Sendable>: Sendable {
    public let path: String
    public let manifest: Manifest<Model>
    public let statement: ParcelStatement
    public let signer: PublicKey
    /// SHA-256 of what was signed: the same for every file that holds it.
    public let digest: Digest
    package let index: SafetensorsIndex
    /// What each tensor is, as it is signed.
    package let table: [String: WeightsSignature.Line]

    /// Reads a parcel and checks its signature.
    /// - Throws: `Failure`: `.noSuchInput`; `.badData` where it is no weights file or has no statement; `.notPermitted`
    ///   where it is unsigned or the signature does not fit.
    public init(contentsOf path: String) throws {
        index = try SafetensorsIndex(contentsOf: path)
        manifest = try Manifest<Model>.read(index, path: path)
        guard let statement = manifest.parcel else {
            throw Failure(.badData, path, "is no parcel: its manifest says nothing of a site that shares it")
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

    /// How its numbers are stored: the widest form that occurs, in which all keep their values.
    public var storedType: StoredType {
        let types = Set(index.entries.map(\.type))
        return types.count == 1 ? types.first ?? .f32 : .f32
    }

    /// Checks that a list trusts the signer, for the site that the statement names, at `moment`.
    /// - Throws: `Failure(.notPermitted)` with the reason.
    @discardableResult
    public func requireTrust(_ list: TrustList, at moment: Date) throws -> TrustList.Member {
        let member = try list.member(signing: signer, as: statement.site, at: moment, file: path)
        guard !statement.permissions.isExpired(at: moment) else {
            throw Failure(.notPermitted, path, "its permissions ended on \(statement.permissions.expires ?? "")")
        }
        if let gone = manifest.sites.intersection(list.withdrawn).sorted().first {
            throw Failure(.notPermitted, path, "\(gone.printable) was withdrawn, and these weights come from it, too")
        }
        guard member.role == .site else {
            throw Failure(
                .notPermitted, path, field: "role of \(member.name)", expected: TrustList.Role.site.rawValue,
                found: member.role.rawValue)
        }
        try manifest.requireNoCanaries(path: path)
        guard member.unaudited || manifest.unaudited == nil else {
            throw Failure(
                .notPermitted, path,
                """
                has no audit (\(manifest.unaudited?.printable ?? "")), and \(list.path) takes none such of \
                \(member.name)
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
    /// It speaks of what the weights themselves were trained on; what their base was trained on, the base says. Digests
    /// of these sets become HMACs under a secret of the site's key, and paths leave the settings.
    /// - Parameters:
    ///   - weights: an adapter or a snapshot.
    ///   - audit: SHA-256 of the passing audit that it goes by, which the caller has checked.
    ///   - unaudited: why it goes without an audit for memorised patients, where it saw any.
    /// - Throws: `Failure`: `.notPermitted` where it saw photographs of patients and no reason is given; `.badData` for
    ///   weights of another site; `.usage` for a statement that is none.
    public static func seal<Model: Codable & Sendable>(
        _ weights: WeightsFile<Model>, path: String, statement: ParcelStatement, audit: Digest? = nil,
        unaudited: String?, key: SigningKey, to output: String,
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
        manifest.audit = audit
        manifest.parcel = statement
        let sources = weights.tensors.mapValues { tensor in TensorSource(shape: tensor.shape) { tensor } }
        return try WeightsFile.write(output, manifest, sources, as: type, force: force, key: key)
    }

    /// Settings without the place of the base on the site's machine.
    static func withoutPaths(_ configuration: String) -> String {
        configuration.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("base:") ? "base: ''" : String($0) }.joined(separator: "\n")
    }
}
