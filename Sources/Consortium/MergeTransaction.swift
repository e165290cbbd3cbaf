import CheckpointStore
import Federation
import Files
import Foundation
import Models

/// What a merge changes outside of itself, in the one order that loses nothing: the outliers are looked at, the
/// snapshot is written whole under its name, and the ledger takes down the parcels that went in. Whatever would stop it
/// is asked for before the merge is computed.
public struct MergeTransaction {
    private let output: String
    private let key: SigningKey?
    private let ledger: ParcelLedger
    private let replaces: Bool

    /// - Parameters:
    ///   - output: the merged snapshot.
    ///   - key: signs it; nil for a merge that nobody signs.
    ///   - replaces: whether an output that exists may be replaced.
    /// - Throws: `Failure`: `.notPermitted` where the key is no coordinator's; `.cannotCreateOutput` where output or
    ///   ledger cannot be written.
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
    ///   - previous: what the base was merged on, for momentum.
    ///   - screen: looks at the outliers before anything is written; throws to stop.
    /// - Returns: the snapshot's digest, and what the rule `svd` left out of the difference, relative to it.
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
