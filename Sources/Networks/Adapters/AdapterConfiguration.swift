/// Which factors of a low-rank adapter are trained.
public enum AdapterKind: String, CaseIterable, Codable, Sendable {
    /// A is orthonormal and frozen, the same at every site; B is trained (FFA-LoRA, Sun et al. 2024, "Improving LoRA in
    /// privacy-preserving federated learning"). Averaging B over sites averages their weights exactly.
    case ffa
    /// Both are trained (LoRA, Hu et al. 2021). Averaging A and B over sites is not averaging their weights: the
    /// relative error is sqrt((N - 1) / N) for N independent sites.
    case lora
}

/// How a base's weights are changed: W = W0 + scale A B, with A and B of a low rank.
public struct AdapterConfiguration: Codable, Hashable, Sendable {
    public var kind: AdapterKind
    /// No layer has a higher rank than this.
    public var rank = 256
    /// Trained numbers a layer, at most, as a share of the layer's own (but always rank 1): an adapter is smaller than
    /// this share of its base, wide layers get more of it, and narrow ones do not take a quarter.
    public var layerShare = 0.05
    /// What A B is multiplied by.
    public var scale = 1.0

    public init(kind: AdapterKind = .ffa) { self.kind = kind }

    /// One sentence on what is wrong with a configuration that came from a file, or nil.
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
