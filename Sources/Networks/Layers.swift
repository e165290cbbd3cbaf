import TensorCore

/// A 3x3 or 1x1 convolution with bias: parameters `<path>.weight`, `<path>.bias`.
struct Convolution: Sendable {
    private let weight: Int, bias: Int
    private let stride: Int, padding: Int, trailing: Int

    /// - Parameters:
    ///   - padding: zeros above and to the left; half the kernel where nil. `trailing` is the same below and to the
    ///     right.
    ///   - zero: whether the weights start at zero (as in the last layer of a residual branch).
    init(
        _ registry: ParameterRegistry, _ path: String, in inputs: Int, out outputs: Int, kernel: Int, stride: Int = 1,
        padding: Int? = nil, trailing: Int? = nil, zero: Bool = false
    ) {
        let start: Initialization = zero ? .constant(0) : .uniform(fanIn: inputs * kernel * kernel)
        weight = registry.register("\(path).weight", [kernel, kernel, inputs, outputs], .convolution, start)
        bias = registry.register("\(path).bias", [outputs], .plain, start)
        self.stride = stride
        self.padding = padding ?? kernel / 2
        self.trailing = trailing ?? kernel / 2
    }

    /// [N, H, W, in] -> [N, H / stride, W / stride, out]
    func callAsFunction(_ x: Variable, _ parameters: BoundParameters) -> Variable {
        x.convolution(parameters[weight], bias: parameters[bias], stride: stride, padding: padding, trailing: trailing)
    }

    /// Convolution of an input that is computed when it is needed, with `shift` [N, out] and `residual` (of the
    /// output's shape) added.
    func callAsFunction(
        _ input: ConvolutionInput, shift: Variable? = nil, residual: Variable? = nil, _ parameters: BoundParameters
    ) -> Variable {
        .convolution(
            input, parameters[weight], bias: parameters[bias], shift: shift, residual: residual, stride: stride,
            padding: padding, trailing: trailing)
    }

    /// A 1x1 convolution of two pictures, as if they were concatenated along the channels.
    func callAsFunction(_ x: Variable, besides other: Variable, _ parameters: BoundParameters) -> Variable {
        let filters = parameters[weight]
        return x.linear(
            besides: other, filters.reshaped([filters.shape[2], filters.shape[3]]), bias: parameters[bias])
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

/// Group normalisation: parameters `<path>.weight`, `<path>.bias`.
struct GroupNormalization: Sendable {
    private let scale: Int, shift: Int
    private let groups: Int
    private let epsilon: Float

    /// - Parameter groups: the number of groups; 0 for that of the configuration.
    init(
        _ registry: ParameterRegistry, _ path: String, channels: Int, configuration: UNetConfiguration, groups: Int = 0
    ) {
        scale = registry.register("\(path).weight", [channels], .plain, .constant(1))
        shift = registry.register("\(path).bias", [channels], .plain, .constant(0))
        self.groups = groups > 0 ? groups : configuration.normGroups
        epsilon = Float(configuration.normEpsilon)
    }

    func callAsFunction(_ x: Variable, _ parameters: BoundParameters) -> Variable {
        x.groupNorm(scale: parameters[scale], shift: parameters[shift], groups: groups, epsilon: epsilon)
    }

    /// The normalisation of several pictures, as if they were concatenated, followed by SiLU, as the input of a
    /// convolution.
    func activated(_ parts: [Variable], _ parameters: BoundParameters) -> ConvolutionInput {
        ConvolutionInput(
            normalizing: parts, scale: parameters[scale], shift: parameters[shift],
            GroupNormSettings(groups: groups, epsilon: epsilon, silu: true))
    }
}
