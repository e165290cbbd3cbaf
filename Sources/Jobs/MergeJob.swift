import CheckpointStore
import Consortium
import Datasets
import Federation
import Files
import Foundation
import Models
import Training

/// Merges the parcels of sites into a new model.
///
/// A parcel that is unsigned, unknown, expired, replayed, of another base, not finite, of other shapes or forbidden
/// stops the merge, and nothing is written.
public struct MergeJob: Job {
    /// The parcels of one round. Their order does not matter.
    public var parcels: [String]
    /// The snapshot that the sites trained on, signed by the coordinator.
    public var base: String
    /// The list of those whose signatures count, signed by the coordinator.
    public var trust: String
    /// The coordinator's private key, which signs the result; nil leaves it unsigned.
    public var key: String?
    /// How the sites' weights are merged.
    public var settings = MergeRecord.Settings()
    /// The round to merge; nil takes the round after the base's last merge.
    public var round: Int?
    /// The base of the merge that made this base, which momentum needs.
    public var previous: String?
    /// Go on without parcels that are refused.
    public var excludesBad = false
    /// Stop where the screening names an outlier.
    public var isStrict = false
    /// The coordinator's own data set. Each update is tried on its validation split.
    public var canary: String?
    public var output: String
    /// Whether an output that exists may be replaced.
    public var replaces = false

    public init(_ parcels: [String], base: String, trust: String, to output: String) {
        self.parcels = parcels
        self.base = base
        self.trust = trust
        self.output = output
    }

    public func perform(_ report: JobReporter) async throws -> MergeOutcome {
        let list = try TrustList(contentsOf: trust), ledger = try ParcelLedger(for: list)
        let signing = try key.map { try SigningKey(contentsOf: $0) }
        let transaction = try MergeTransaction(
            output, trust: list, key: signing, keyName: key ?? "key", ledger: ledger, replaces: replaces, at: Date())
        let merge = try ModelMerge(
            parcels, base: base, trust: list, settings: settings, round: round, at: Date(), ledger: ledger,
            excludesBad: excludesBad)
        let canaryLoss = try await canary.asyncMap { path in
            try await SiteValidation(merge.base, data: [try await DatasetFile.open(path)])
        }
        let screening = try merge.screening(canary: canaryLoss.map { canary in { canary.loss($0) } })
        let (digest, residual) = try transaction.commit(merge, previous: previous, screening: screening) {
            if isStrict { try $0.requireNone() }
        }
        return try MergeOutcome(
            merge, screening: screening, residual: residual, output: output, digest: digest, isSigned: key != nil,
            takenBefore: merge.admission.admitted.filter { ledger.holds($0.parcel.digest) }.count)
    }
}
