/// Which factors of a low-rank adapter are trained.
public enum AdapterKind: String, CaseIterable, Codable, Sendable {
    /// A is orthonormal, frozen, and the same at every site; B is trained (FFA-LoRA, Sun et al. 2024, "Improving LoRA
    /// in privacy-preserving federated learning"). Averaging B over sites averages the sites' weights exactly.
    case ffa
    /// A and B are both trained (LoRA, Hu et al. 2021). Averaging A and B over sites does not average the sites'
    /// weights: the relative error is sqrt((N - 1) / N) for N independent sites.
    case lora
}

/// How a base's weights are changed: W = W0 + scale A B, where A and B have a low rank.
public struct AdapterConfiguration: Codable, Hashable, Sendable {
    public var kind: AdapterKind
    /// No layer has a higher rank than this.
    public var rank = 256
    /// The largest share of a layer's weights that an adapter may have as trained numbers in that layer (rank 1 is
    /// always allowed). So an adapter is smaller than this share of its base. Wide layers get a higher rank, and narrow
    /// layers cannot take a large part of the adapter.
    public var layerShare = 0.05
    /// The factor of A B.
    public var scale = 1.0

    public init(kind: AdapterKind = .ffa) { self.kind = kind }

    /// One sentence that says what is wrong with a configuration from a file, or nil.
    public var problem: String? {
        guard (1...4096).contains(rank) else { return "rank: expected 1 to 4096, found \(rank)" }
        guard layerShare > 0, layerShare <= 1 else {
            return "layerShare: expected more than 0, up to 1, found \(layerShare)"
        }
        guard scale > 0, scale <= 1024 else { return "scale: expected more than 0, up to 1024, found \(scale)" }
        return nil
    }

    /// The rank of a layer whose weight is a matrix [rows, columns].
    func rank(rows: Int, columns: Int) -> Int {
        let trainedEach = kind == .ffa ? min(rows, columns) : rows + columns
        let affordable = Int(layerShare * Double(rows * columns) / Double(trainedEach))
        return max(1, min(rank, rows, columns, affordable))
    }
}
