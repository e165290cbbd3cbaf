import CheckpointStore
import Files
import TensorCore

/// What parcels must fit: the base that a round began with, and the tensors that the round's parcels hold.
public struct MergeBase: Sendable {
    public let path: String
    public let digest: Digest
    /// What the parcels of this base are: `fovea.adapter` or `fovea.snapshot`.
    public let kind: WeightsKind
    /// The shapes that the tensors have in files, by name.
    public let shapes: [String: [Int]]
    /// The values that are subtracted from a parcel's tensors to get its update: for full weights, the base's. Nil for
    /// adapters, which already are updates.
    public let reference: [String: Tensor]?
    /// The Euclidean norm of the base's weights.
    public let norm: Double
    /// The merges that made the base, the last first.
    public let merges: [MergeRecord]
    public let permissions: Permissions?
    /// For adapters, the names of the factors A and B whose products are the update. The name of A is nil where A is
    /// frozen and orthonormal.
    public let factors: [(a: String?, b: String)]
    /// The number by which the products of the factors are multiplied.
    public let scale: Double

    public init(
        path: String, digest: Digest, kind: WeightsKind, shapes: [String: [Int]], reference: [String: Tensor]?,
        norm: Double,
        merges: [MergeRecord], permissions: Permissions?, factors: [(a: String?, b: String)] = [], scale: Double = 1
    ) {
        self.factors = factors
        self.scale = scale
        self.path = path
        self.digest = digest
        self.kind = kind
        self.shapes = shapes
        self.reference = reference
        self.norm = norm
        self.merges = merges
        self.permissions = permissions
    }

    /// The round that follows the base's last merge.
    public var nextRound: Int { (merges.first?.round ?? 0) + 1 }
}
