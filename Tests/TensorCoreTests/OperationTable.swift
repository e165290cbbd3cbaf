import TensorCore
import TestTensors

/// One operation as the tests see it. The table below drives parity with PyTorch, finite differences, the oracles,
/// and the checks of thread and batch independence.
struct OperationEntry: Sendable {
    /// The fixtures' name for it.
    let name: String
    /// Largest relative (l2) difference from float64, for the output and for every gradient.
    let tolerance: Double
    /// Inputs by the fixtures' names; parameters as the fixture states them.
    let run: @Sendable ([String: Variable], [String: Any]) -> Variable
    /// Shapes and parameters of a larger case than the fixtures', for finite differences and independence.
    let example: Example
    /// Whether the first axis is a batch of independent pictures.
    let isBatched: Bool

    struct Example: Sendable {
        let shapes: [String: [Int]]
        let integers: [String: Int]
        /// Inputs that are not batched.
        let shared: Set<String>
    }

    init(
        _ name: String, tolerance: Double = 1e-5, _ shapes: [String: [Int]], _ integers: [String: Int] = [:],
        shared: Set<String> = ["weight", "bias"], isBatched: Bool = true,
        _ run: @escaping @Sendable ([String: Variable], [String: Any]) -> Variable
    ) {
        self.name = name
        self.tolerance = tolerance
        self.run = run
        self.isBatched = isBatched
        example = Example(shapes: shapes, integers: integers, shared: shared)
    }
}

private func integer(_ parameters: [String: Any], _ name: String) -> Int { parameters[name] as? Int ?? 0 }

private func reduced(
    _ x: Variable, _ parameters: [String: Any], _ all: (Variable) -> Variable, _ some: (Variable, [Int]) -> Variable
) -> Variable {
    guard let axes = parameters["axes"] as? [Int] else { return all(x) }
    let result = some(x, axes)
    let isKept = parameters["keepDimensions"] as? Bool ?? true
    return isKept ? result : result.reshaped(x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] })
}

let operationTable: [OperationEntry] = [
    OperationEntry("add", ["lhs": [3, 40, 41, 24], "rhs": [3, 1, 1, 24]]) { i, _ in i["lhs"]! + i["rhs"]! },
    OperationEntry("subtract", ["lhs": [3, 40, 41, 24], "rhs": [3, 1, 1, 24]]) { i, _ in i["lhs"]! - i["rhs"]! },
    OperationEntry("multiply", ["lhs": [3, 40, 41, 24], "rhs": [3, 40, 41, 1]]) { i, _ in i["lhs"]! * i["rhs"]! },
    OperationEntry("divide", ["lhs": [3, 40, 41, 24], "rhs": [3, 40, 41, 24]]) { i, _ in i["lhs"]! / i["rhs"]! },
    OperationEntry("square", ["x": [3, 70, 33]]) { i, _ in i["x"]!.squared() },
    OperationEntry("exp", tolerance: 1e-6, ["x": [3, 70, 33]]) { i, _ in i["x"]!.exponential() },
    OperationEntry("silu", tolerance: 1e-6, ["x": [3, 70, 33]]) { i, _ in i["x"]!.silu() },
    OperationEntry("softmax", ["x": [3, 70, 133]]) { i, _ in i["x"]!.softmax() },
    OperationEntry("sum", ["x": [3, 70, 33]], ["perImage": 1]) { i, p in
        integer(p, "perImage") == 1
            ? i["x"]!.sum(axes: [1]) : reduced(i["x"]!, p, { $0.sum() }, { $0.sum(axes: $1) })
    },
    OperationEntry("mean", ["x": [3, 70, 33]], ["perImage": 1]) { i, p in
        integer(p, "perImage") == 1
            ? i["x"]!.mean(axes: [1, 2]) : reduced(i["x"]!, p, { $0.mean() }, { $0.mean(axes: $1) })
    },
    OperationEntry("matmul", ["lhs": [3, 40, 50], "rhs": [3, 50, 20]]) { i, p in
        i["lhs"]!.matmul(
            i["rhs"]!, transposedSelf: p["transposeLhs"] as? Bool ?? false,
            transposed: p["transposeRhs"] as? Bool ?? false)
    },
    OperationEntry("linear", ["x": [3, 49, 40], "weight": [40, 24], "bias": [24]]) { i, _ in
        i["x"]!.linear(i["weight"]!, bias: i["bias"])
    },
    OperationEntry(
        "convolution", ["x": [3, 13, 18, 16], "weight": [3, 3, 16, 32], "bias": [32]], ["stride": 1, "padding": 1]
    ) { i, p in
        i["x"]!.convolution(i["weight"]!, bias: i["bias"], stride: integer(p, "stride"), padding: integer(p, "padding"))
    },
    OperationEntry(
        "group_norm", tolerance: 2e-5, ["x": [3, 30, 31, 24], "weight": [24], "bias": [24]], ["groups": 4]
    ) { i, p in
        i["x"]!.groupNorm(scale: i["weight"]!, shift: i["bias"]!, groups: integer(p, "groups"), epsilon: epsilon(p))
    },
    OperationEntry(
        "group_norm_silu", tolerance: 2e-5, ["x": [3, 30, 31, 24], "weight": [24], "bias": [24]], ["groups": 4]
    ) { i, p in
        i["x"]!.groupNorm(
            scale: i["weight"]!, shift: i["bias"]!, groups: integer(p, "groups"), epsilon: epsilon(p), silu: true)
    },
    OperationEntry("attention", ["q": [3, 49, 24], "k": [3, 49, 24], "v": [3, 49, 24]], ["heads": 3]) { i, p in
        i["q"]!.attention(keys: i["k"]!, values: i["v"]!, heads: integer(p, "heads"))
    },
    OperationEntry("upsample_nearest", ["x": [3, 13, 7, 24]]) { i, _ in i["x"]!.upsampledNearest() },
    OperationEntry("average_pool", ["x": [3, 14, 8, 24]]) { i, _ in i["x"]!.averagePooled() },
    OperationEntry("concatenate", ["0": [3, 13, 7, 24], "1": [3, 13, 7, 8]]) { i, _ in
        let joined = i["0"]!.concatenated(i["1"]!)
        return i["2"].map { joined.concatenated($0) } ?? joined
    },
    OperationEntry("embedding", ["table": [5, 6]], shared: ["table"], isBatched: false) { i, p in
        let indices = p["indices"] as? [Int] ?? [3, 0, 3, 4]
        let shape = p["indexShape"] as? [Int] ?? [indices.count]
        return i["table"]!.embedding(indices).reshaped(shape + [i["table"]!.shape[1]])
    },
]

private func epsilon(_ parameters: [String: Any]) -> Float {
    (parameters["eps"] as? Double).map { Float($0) } ?? 1e-5
}
