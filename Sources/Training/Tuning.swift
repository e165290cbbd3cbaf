import Models
import Networks
import TensorCore

/// What a training changes: all parameters of a network, or an adapter on the frozen parameters of a base.
struct Tuning: Sendable {
    /// Nil where all parameters are trained.
    private let adaptation: Adaptation?
    /// The base's parameters; nil in a training without a base.
    private let base: ParameterMap?
    /// The parameters that are trained.
    let specifications: [ParameterSpecification]

    /// - Parameters:
    ///   - base: the model to start from; an adapter needs a base.
    ///   - added: the rows that the base's table of cohorts was extended by.
    init(
        _ network: [ParameterSpecification], base: LoadedModel?, adapter: AdapterConfiguration?, added: AddedRows? = nil
    ) {
        self.base = base?.parameters
        adaptation = adapter.flatMap { adapter in
            base.map {
                Adaptation(adapter, base: $0.parameters.specifications, baseDigest: $0.digest, added: added)
            }
        }
        specifications = adaptation?.layout.specifications ?? network
    }

    /// The first values of the trained parameters; nil means random values.
    var start: ParameterMap? { adaptation == nil ? base : nil }

    /// The values from which updates are counted: the base's parameters. Nil means zero, for adapters and for trainings
    /// without a base.
    var origin: [Tensor]? { start?.tensors }

    /// The network's parameters that follow from the trained parameters.
    func network(_ trained: ParameterMap) -> ParameterMap {
        guard let adaptation, let base else { return trained }
        return base.adding([(Adapter(adaptation, parameters: trained), 1)])
    }

    /// The variables by which a step differentiates, and the network's parameters that follow from them.
    func variables(
        _ trained: ParameterMap, on tape: Tape, recompute: Bool
    ) -> (trained: [Variable], network: BoundParameters) {
        guard let adaptation, let base else {
            let bound = trained.variables(on: tape, recompute: recompute)
            return (bound.variables, bound)
        }
        let bound = trained.variables(on: tape)
        return (bound.variables, adaptation.adapted(base: base, adapter: bound, recompute: recompute))
    }
}
