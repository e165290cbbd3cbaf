import CheckpointStore
import Diffusion
import Federation
import Files
import Foundation
import Models
import Networks

/// Signs and checks the snapshots that sites train on. The coordinator signs them.
public enum SignedBase {
    /// Signs a snapshot without changing its numbers.
    /// - Returns: the digest of the signed file.
    /// - Throws: `Failure(.badData)` where the file is not a snapshot with finite numbers;
    ///   `Failure(.cannotCreateOutput)`; `Failure(.readOrWriteFailed)`.
    public static func sign(_ path: String, with key: SigningKey, to output: String, force: Bool) throws -> Digest {
        let index = try SafetensorsIndex(contentsOf: path), loaded = try LoadedModel(contentsOf: path)
        guard loaded.manifest.parcel == nil else { throw Failure(.badData, path, "is a site's parcel; merge it first") }
        try loaded.manifest.requireNoCanaries(path: path)
        let types = Set(index.entries.map(\.type)), type = types.count == 1 ? types.first ?? .f32 : .f32
        return try ModelFile.write(
            output, loaded.manifest, loaded.parameters.fileSources(), as: type, force: force, key: key)
    }

    /// Checks that the coordinator signed a snapshot, that no site in it was withdrawn, and that its permissions have
    /// not ended.
    /// - Throws: `Failure(.notPermitted)` with the reason; `Failure(.noSuchInput)`; `Failure(.badData)`.
    public static func require(_ path: String, trust: TrustList, at moment: Date) throws {
        let index = try SafetensorsIndex(contentsOf: path)
        try trust.requireCoordinator(index, path: path, at: moment)
        let manifest = try Manifest<ModelDescription>.read(index, path: path)
        if let touched = manifest.sites.intersection(trust.withdrawn).sorted().first {
            throw Failure(
                .notPermitted, path,
                "\(touched) was withdrawn\(trust.reason(withdrawn: touched)), and these weights were trained with it")
        }
        if let permissions = manifest.permissions, permissions.isExpired(at: moment) {
            throw Failure(.notPermitted, path, "its permissions ended on \(permissions.expires ?? "")")
        }
    }
}
