import TensorCore

/// A 3x3 or 1x1 convolution with bias: parameters `<path>.weight`, `<path>.bias`.
struct Convolution: Sendable {
    private let weight: Int, bias: Int
    private let stride: Int, padding: Int

    /// - Parameter zero: whether it starts at zero (the last layer of a residual branch).
    init(
        _ registry: ParameterRegistry, _ path: String, in inputs: Int, out outputs: Int, kernel: Int, stride: Int = 1,
        zero: Bool = false
    ) {
        let start: Initialization = zero ? .constant(0) : .uniform(fanIn: inputs * kernel * kernel)
        weight = registry.register("\(path).weight", [kernel, kernel, inputs, outputs], .convolution, start)
        bias = registry.register("\(path).bias", [outputs], .plain, start)
        self.stride = stride
        padding = kernel / 2
    }

    /// [N, H, W, in] -> [N, H / stride, W / stride, out]
    func callAsFunction(_ x: Variable, _ parameters: BoundParameters) -> Variable {
        x.convolution(parameters[weight], bias: parameters[bias], stride: stride, padding: padding)
    }
}

/// A linear layer with bias: parameters `<path>.weight`, `<path>.bias`.
struct Linear: Sendable {
    private let weight: Int, bias: Int

    init(_ registry: ParameterRegistry, _ path: String, in inputs: Int, out outputs: Int, zero: Bool = false) {
        let start: Initialization = zero ? .constant(0) : .uniform(fanIn: inputs)
        weight = registry.register("\(path).weight", [inputs, outputs], .linear, start)
        bias = registry.register("\(path).bias", [outputs], .plain, start)
    }

    /// [..., in] -> [..., out]
    func callAsFunction(_ x: Variable, _ parameters: BoundParameters) -> Variable {
        x.linear(parameters[weight], bias: parameters[bias])
    }
}

/// Group normalisation, with SiLU behind it on request: parameters `<path>.weight`, `<path>.bias`.
struct GroupNormalization: Sendable {
    private let scale: Int, shift: Int
    private let groups: Int
    private let epsilon: Float

    init(_ registry: ParameterRegistry, _ path: String, channels: Int, configuration: UNetConfiguration) {
        scale = registry.register("\(path).weight", [channels], .plain, .constant(1))
        shift = registry.register("\(path).bias", [channels], .plain, .constant(0))
        groups = configuration.normGroups
        epsilon = Float(configuration.normEpsilon)
    }

    func callAsFunction(_ x: Variable, _ parameters: BoundParameters, silu: Bool) -> Variable {
        x.groupNorm(
            scale: parameters[scale], shift: parameters[shift], groups: groups, epsilon: epsilon, silu: silu)
    }
}
