import CheckpointStore
import Federation
import Files
import Foundation
import Models

/// Writes a merge in the order in which nothing can be lost: the outliers are examined, the snapshot is written whole
/// under its name, and the ledger notes the parcels that were merged. Everything that could stop this is checked before
/// the merge is computed.
public struct MergeTransaction {
    private let output: String
    private let key: SigningKey?
    private let ledger: ParcelLedger
    private let replaces: Bool

    /// Checks that the merge can be written.
    /// - Parameters:
    ///   - output: the path of the merged snapshot.
    ///   - key: signs the snapshot; nil for a merge that nobody signs.
    ///   - keyName: what errors call the key.
    ///   - replaces: whether an output that exists may be replaced.
    /// - Throws: `Failure(.notPermitted)` where the key is not a coordinator's; `Failure(.cannotCreateOutput)` where
    ///   the output cannot be written; `Failure(.readOrWriteFailed)` where the ledger cannot be written.
    public init(
        _ output: String, trust: TrustList, key: SigningKey?, keyName: String, ledger: ParcelLedger, replaces: Bool,
        at moment: Date
    ) throws {
        if let key { try trust.requireCoordinator(key.publicKey, at: moment, file: keyName) }
        try StagedFile.requireWritable(output, force: replaces)
        try ledger.requireWritable()
        self.output = output
        self.key = key
        self.ledger = ledger
        self.replaces = replaces
    }

    /// Writes the merge.
    ///
    /// - Parameters:
    ///   - previous: the base of the merge that made this base, which momentum needs.
    ///   - screen: examines the outliers before anything is written, and throws to stop.
    /// - Returns: the snapshot's digest, and the part of the difference that the rule `svd` left out, relative to the
    ///   whole difference.
    /// - Throws: what `screen` throws, and the failures of `ModelMerge.write`; `Failure(.cannotCreateOutput)` where
    ///   another process wrote the output in the meantime; `Failure(.readOrWriteFailed)`.
    public func commit(
        _ merge: ModelMerge, previous: String?, screening: Screening, screen: (Screening) throws -> Void
    ) throws -> (digest: Digest, residual: Double?) {
        try screen(screening)
        let staging = StagedFile.stagingPath(for: output)
        defer { try? FileManager.default.removeItem(atPath: staging) }
        let result = try merge.write(
            staging, previous: try previous.map { try LoadedModel(contentsOf: $0) }, key: key, force: true)
        try StagedFile.move(staging, to: output, replacing: replaces)
        try ledger.note(merge.admission.admitted.map(\.parcel))
        return result
    }
}
