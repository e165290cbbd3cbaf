import Files
import TensorCore

/// An adapter: its values, and how they change a base.
public struct Adapter: Sendable {
    public let adaptation: Adaptation
    public let parameters: ParameterMap

    /// - Parameter parameters: they have the specifications of the adaptation's layout.
    public init(_ adaptation: Adaptation, parameters: ParameterMap) {
        if parameters.specifications != adaptation.layout.specifications {
            fatalError(
                """
                Adapter: \(parameters.specifications.count) parameters are not the layout's \
                \(adaptation.layout.specifications.count)
                """
            )
        }
        self.adaptation = adaptation
        self.parameters = parameters
    }

    /// Takes the tensors of a file, which must be exactly those of the adapter.
    ///
    /// - Parameter file: the file's name, for the error.
    /// - Throws: `Failure(.badData)` that names every tensor that is missing, unexpected or of another shape.
    public init(_ adaptation: Adaptation, fileTensors: consuming [String: Tensor], file: String) throws {
        self.adaptation = adaptation
        parameters = try ParameterMap(adaptation.layout.specifications, fileTensors: fileTensors, file: file)
    }
}

extension ParameterMap {
    /// The base's parameters with adapters merged in: W0 + sum of weight scale A B.
    ///
    /// One adapter with weight 1 gives exactly the weights that it was trained with (`Adaptation.adapted`); adapters of
    /// zeros give exactly the base's. Adapters with the same frozen factors are averaged by averaging their B. Other
    /// adapters are added as full matrices. So the result is the average of the weights for both kinds.
    ///
    /// - Parameter adapters: adapters of this base, each with a finite weight.
    public func adding(_ adapters: [(adapter: Adapter, weight: Double)]) -> ParameterMap {
        guard let layout = adapters.first?.adapter.adaptation.layout else { return self }
        // The adapters of one group share A.
        var groups: [[(adapter: Adapter, factor: Float)]] = []
        for (adapter, weight) in adapters {
            let adaptation = adapter.adaptation
            adaptation.requireBase(self)
            if !weight.isFinite { fatalError("adding: weight \(weight) of an adapter") }
            let entry = (adapter, -Float(weight * adaptation.layout.configuration.scale))
            let group = groups.firstIndex { $0[0].adapter.adaptation.sharesFactors(with: adaptation) }
            if let group { groups[group].append(entry) } else { groups.append([entry]) }
        }
        var result = self
        // The base alone decides which parameters are adapted, so this is the same for all layouts.
        for (index, adapted) in layout.adapted.enumerated() {
            let products = groups.map { group in
                let first = group[0].adapter
                let parameter = first.adaptation.layout.adapted[index]
                let b = group.map { $0.adapter.parameters.tensors[parameter.numberOfB].scaled(by: $0.factor) }
                let a = first.adaptation.a(index) { Variable(first.parameters.tensors[$0]) }
                return parameter.product(a, Variable(b.dropFirst().reduce(b[0], +))).tensor
            }
            result.tensors[adapted.number] = tensors[adapted.number] - products.dropFirst().reduce(products[0], +)
        }
        if let added = layout.added {
            let rows = adapters.compactMap { adapter, weight in
                adapter.parameters.tensors.last?.scaled(by: Float(weight))
            }
            result = added.added(rows.dropFirst().reduce(rows[0], +), to: result)
        }
        return result
    }
}
