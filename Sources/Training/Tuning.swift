import Models
import Networks
import TensorCore

/// What a training changes: every parameter of a network, or an adapter beside the frozen parameters of a base.
struct Tuning: Sendable {
    /// Nil where everything is trained.
    private let adaptation: Adaptation?
    /// The base's parameters; nil in a training from nothing.
    private let base: ParameterMap?
    /// What is trained.
    let specifications: [ParameterSpecification]

    /// - Parameter base: what to start from; an adapter needs one.
    init(_ network: [ParameterSpecification], base: LoadedModel?, adapter: AdapterConfiguration?) {
        self.base = base?.parameters
        adaptation = adapter.flatMap { adapter in
            base.map { Adaptation(adapter, base: $0.parameters.specifications, baseDigest: $0.digest) }
        }
        specifications = adaptation?.layout.specifications ?? network
    }

    /// Values to start from; nil stands for random ones.
    var start: ParameterMap? { adaptation == nil ? base : nil }

    /// Where updates are counted from: the base's parameters, or nil for zero, as adapters and trainings from nothing
    /// are.
    var origin: [Tensor]? { start?.tensors }

    /// The network's parameters that `trained` stands for.
    func network(_ trained: ParameterMap) -> ParameterMap {
        guard let adaptation, let base else { return trained }
        return base.adding([(Adapter(adaptation, parameters: trained), 1)])
    }

    /// What a step differentiates by, and the network's parameters that follow from it.
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
