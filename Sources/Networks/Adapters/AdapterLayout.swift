/// A weight that an adapter changes, seen as a matrix: [k * k * in, out] for a convolution, [in, out] for a linear
/// layer.
///
/// A has the longer of the two sides and B the shorter. So B is small, and it alone is trained where A is frozen. With
/// at least as many rows as columns, W = W0 + scale A B with A [rows, rank] and B [rank, columns]. Otherwise W = W0 +
/// scale B A with B [rows, rank] and A [rank, columns].
public struct AdaptedParameter: Hashable, Sendable {
    /// The parameter's path and shape in the base.
    public let path: String
    public let shape: [Int]
    public let rows: Int, columns: Int
    public let rank: Int
    /// The parameter's number in the base.
    let number: Int
    /// The numbers of A (nil where A is frozen) and B among the adapter's parameters.
    let numberOfA: Int?, numberOfB: Int

    /// Whether A is the left factor.
    var isALeft: Bool { rows >= columns }
    /// The longer side of A.
    var length: Int { max(rows, columns) }
    var shapeOfA: [Int] { isALeft ? [rows, rank] : [rank, columns] }
    var shapeOfB: [Int] { isALeft ? [rank, columns] : [rows, rank] }
}

/// Which parameters of a base an adapter changes, and the adapter's own parameters.
///
/// All convolutions and the projections of attention are adapted. Biases, norms and the embeddings of noise level and
/// cohort stay as they are; a training that extends its base adds rows to the table of cohorts.
public struct AdapterLayout: Hashable, Sendable {
    public let configuration: AdapterConfiguration
    public let base: [ParameterSpecification]
    public let adapted: [AdaptedParameter]
    /// Rows that are added to a table of the base; nil for none.
    public let added: AddedRows?
    /// `<path>.adapter_b` and, where A is trained, `<path>.adapter_a`. B starts at 0, so that training starts with the
    /// base's exact outputs. The values of added rows are the last.
    public let specifications: [ParameterSpecification]

    /// - Parameters:
    ///   - configuration: without a `problem`.
    ///   - base: the parameters of the network, in the network's order.
    ///   - added: rows that are added to a table.
    public init(_ configuration: AdapterConfiguration, base: [ParameterSpecification], added: AddedRows? = nil) {
        if let problem = configuration.problem { fatalError("AdapterLayout: \(problem)") }
        let registry = ParameterRegistry()
        adapted = base.enumerated().compactMap { number, specification in
            guard let (rows, columns) = specification.adaptedMatrix else { return nil }
            let path = specification.path, count = registry.count
            let isATrained = configuration.kind == .lora
            let parameter = AdaptedParameter(
                path: path, shape: specification.shape, rows: rows, columns: columns,
                rank: configuration.rank(rows: rows, columns: columns),
                number: number, numberOfA: isATrained ? count : nil, numberOfB: isATrained ? count + 1 : count)
            if isATrained {
                _ = registry.register(
                    "\(path).adapter_a", parameter.shapeOfA, .plain, .uniform(fanIn: parameter.length))
            }
            _ = registry.register("\(path).adapter_b", parameter.shapeOfB, .plain, .constant(0))
            return parameter
        }
        if let own = added?.specification { _ = registry.register(own.path, own.shape, own.layout, own.initialization) }
        self.added = added
        self.configuration = configuration
        self.base = base
        specifications = registry.specifications
    }
}

extension ParameterSpecification {
    /// The side lengths of the matrix that an adapter changes; nil where the parameter is not adapted.
    fileprivate var adaptedMatrix: (rows: Int, columns: Int)? {
        switch layout {
        case .convolution: return (shape[0] * shape[1] * shape[2], shape[3])
        case .linear:
            let isProjection = path.split(separator: ".").contains { ["to_q", "to_k", "to_v", "to_out"].contains($0) }
            return isProjection ? (shape[0], shape[1]) : nil
        case .plain: return nil
        }
    }
}
