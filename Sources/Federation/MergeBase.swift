import CheckpointStore
import Files
import TensorCore

/// What parcels must fit: the base that a round began with, and the tensors that its parcels hold.
public struct MergeBase: Sendable {
    public let path: String
    public let digest: Digest
    /// `fovea.adapter` or `fovea.snapshot`: what parcels of this base are.
    public let kind: WeightsKind
    /// Shapes in files, by name.
    public let shapes: [String: [Int]]
    /// The values that an update is counted from: the base's own for full weights; nil for adapters, which are updates
    /// already.
    public let reference: [String: Tensor]?
    /// Euclidean norm of the base's weights.
    public let norm: Double
    public let merges: [MergeRecord]
    public let permissions: Permissions?
    /// For adapters: the names of the factors whose products are the update (A's is nil where it is frozen and
    /// orthonormal), and what the products are multiplied by.
    public let factors: [(a: String?, b: String)]
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
