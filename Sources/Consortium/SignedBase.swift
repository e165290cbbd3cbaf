import CheckpointStore
import Diffusion
import Federation
import Files
import Foundation
import Models
import Networks

/// Snapshots that sites train on: signed by the coordinator.
public enum SignedBase {
    /// Signs a snapshot; its numbers stay as they are.
    /// - Returns: the digest of the signed file.
    /// - Throws: `Failure(.badData)` for anything but a snapshot with finite numbers.
    public static func sign(_ path: String, with key: SigningKey, to output: String, force: Bool) throws -> Digest {
        let index = try SafetensorsIndex(contentsOf: path), loaded = try LoadedModel(contentsOf: path)
        guard loaded.manifest.parcel == nil else { throw Failure(.badData, path, "is a site's parcel; merge it first") }
        try loaded.manifest.requireNoCanaries(path: path)
        let types = Set(index.entries.map(\.type)), type = types.count == 1 ? types.first ?? .f32 : .f32
        return try ModelFile.write(
            output, loaded.manifest, loaded.parameters.fileSources(), as: type, force: force, key: key)
    }

    /// Checks that the coordinator signed a snapshot, that no site in it was withdrawn, and that its permissions still
    /// hold.
    /// - Throws: `Failure(.notPermitted)` with the reason.
    public static func require(_ path: String, trust: TrustList, at moment: Date) throws {
        let index = try SafetensorsIndex(contentsOf: path)
        try trust.requireCoordinator(index, path: path, at: moment)
        let manifest = try Manifest<ModelDescription>.read(index, path: path)
        if let touched = manifest.sites.intersection(trust.withdrawn).sorted().first {
            throw Failure(.notPermitted, path, "\(touched) was withdrawn, and these weights were trained with it")
        }
        if let permissions = manifest.permissions, permissions.isExpired(at: moment) {
            throw Failure(.notPermitted, path, "its permissions ended on \(permissions.expires ?? "")")
        }
    }
}
