import Files
import TensorCore

/// How adapters of one layout change one base: the layout and, for `ffa`, the frozen factors. The values of B (and of A
/// where it is trained) come with each call. So training, its moving average and the adapters of several sites can
/// share one adaptation.
public struct Adaptation: Sendable {
    public let layout: AdapterLayout
    /// SHA-256 of the base's file.
    public let baseDigest: Digest
    /// The factor A of each adapted parameter, in order; empty where A is trained.
    private let frozen: [Tensor]

    /// - Parameters:
    ///   - configuration: without a `problem`.
    ///   - base: the parameters of the base, in the network's order.
    ///   - baseDigest: the digest of the base's file, from which the frozen factors follow.
    ///   - added: rows that are added to a table of the base.
    public init(
        _ configuration: AdapterConfiguration, base: [ParameterSpecification], baseDigest: Digest,
        added: AddedRows? = nil
    ) {
        self.init(AdapterLayout(configuration, base: base, added: added), baseDigest: baseDigest)
    }

    /// An adaptation of a layout; for `ffa` it computes the frozen factors.
    public init(_ layout: AdapterLayout, baseDigest: Digest) {
        self.layout = layout
        self.baseDigest = baseDigest
        frozen = layout.configuration.kind == .ffa ? Adaptation.factors(layout.adapted, baseDigest: baseDigest) : []
    }

    /// The frozen factors, computed on all threads. The largest is computed first, so that no long task is left at the
    /// end.
    private static func factors(_ adapted: [AdaptedParameter], baseDigest: Digest) -> [Tensor] {
        let order = adapted.indices.sorted {
            adapted[$0].length * adapted[$0].rank > adapted[$1].length * adapted[$1].rank
        }
        var factors = [Tensor](repeating: .zeros([0]), count: adapted.count)
        factors.withUnsafeMutableBufferPointer { target in
            nonisolated(unsafe) let target = target
            parallelFor(order.count) { index in
                let parameter = adapted[order[index]]
                let vectors = FrozenFactor.vectors(
                    seed: FrozenFactor.seed(baseDigest: baseDigest, path: parameter.path), count: parameter.rank,
                    length: parameter.length)
                target[order[index]] = parameter.isALeft ? permuted(vectors, [1, 0]) : vectors
            }
        }
        return factors
    }

    /// The frozen factor of the parameter at `path`; nil where A is trained or the parameter is not adapted.
    public func frozenFactor(of path: String) -> Tensor? {
        zip(layout.adapted, frozen).first { $0.0.path == path }?.1
    }

    /// A of the adapted parameter `index`; `trained` gives the parameter of the adapter with a given number.
    func a(_ index: Int, trained: (Int) -> Variable) -> Variable {
        layout.adapted[index].numberOfA.map(trained) ?? Variable(frozen[index])
    }

    /// Whether adapters of both adaptations may be averaged, because they have the same frozen factors.
    func sharesFactors(with other: Adaptation) -> Bool {
        layout.configuration.kind == .ffa && baseDigest == other.baseDigest && layout == other.layout
    }
}

extension Adaptation {
    /// The network's parameters for a forward pass: the base's parameters as constants, and W0 + scale A B on the
    /// adapter's tape for adapted parameters. Gradients reach B, and A where it is trained.
    ///
    /// - Parameters:
    ///   - adapter: parameters of `layout.specifications`, in order.
    ///   - recompute: see `ParameterMap.variables`.
    public func adapted(base: ParameterMap, adapter: BoundParameters, recompute: Bool = false) -> BoundParameters {
        requireBase(base)
        let own = adapter.variables
        if own.map(\.shape) != layout.specifications.map(\.shape) {
            fatalError("adapted: \(own.count) parameters do not fit the adapter's \(layout.specifications.count)")
        }
        var variables = base.tensors.map { Variable($0) }
        let scale = Float(layout.configuration.scale)
        for (index, parameter) in layout.adapted.enumerated() {
            let product = parameter.product(a(index) { own[$0] }, own[parameter.numberOfB].scaled(by: -scale))
            variables[parameter.number] = variables[parameter.number] - product
        }
        if let rows = own.last { layout.added?.add(rows, to: &variables) }
        return BoundParameters(variables, recomputes: recompute)
    }

    func requireBase(_ base: ParameterMap) {
        if base.specifications != layout.base {
            fatalError("Adaptation: \(base.specifications.count) parameters are not its base's \(layout.base.count)")
        }
    }
}

extension AdaptedParameter {
    /// A B or B A, in the shape of the weight.
    ///
    /// The caller scales B by -scale and subtracts the product. A product with zeros is +0, and x - 0 is x also where x
    /// is -0, so an adapter of zeros leaves the base's exact bytes.
    func product(_ a: Variable, _ b: Variable) -> Variable {
        (isALeft ? a.linear(b, bias: nil) : b.linear(a, bias: nil)).reshaped(shape)
    }
}
