import Networks
import TensorCore

/// A small residual network (He et al. 2016, "Identity mappings in deep residual networks", figure 4e).
///
/// A 3x3 convolution with stride 2 is followed by three stages of one residual block each, with strided convolutions
/// between them. The means over all places of the features and of their squares go through a linear layer. Group norm
/// and SiLU come before each convolution but the first.
struct ClassifierNetwork: Sendable {
    /// Colours, and their local contrast.
    static let inputs = 6
    let specifications: [ParameterSpecification]
    private let stem: Convolution
    private let stages: [Stage]
    private let last: Norm
    private let output: (weight: Int, bias: Int)

    private struct Norm {
        let scale: Int, shift: Int
        static let settings = GroupNormSettings(groups: 8, epsilon: 1e-5, silu: true)
    }

    private struct Convolution { let weight: Int, bias: Int, stride: Int }

    private struct Stage {
        /// The convolution with stride 2 that leads to the stage; nil for the first stage.
        let entry: (norm: Norm, convolution: Convolution)?
        let first, second: (norm: Norm, convolution: Convolution)
    }

    init(_ configuration: ClassifierConfiguration) {
        let registry = ParameterRegistry()
        func norm(_ path: String, _ channels: Int) -> Norm {
            Norm(
                scale: registry.register("\(path).weight", [channels], .plain, .constant(1)),
                shift: registry.register("\(path).bias", [channels], .plain, .constant(0)))
        }
        func convolution(
            _ path: String, _ inputs: Int, _ outputs: Int, stride: Int = 1, zero: Bool = false
        ) -> Convolution {
            Convolution(
                weight: registry.register(
                    "\(path).weight", [3, 3, inputs, outputs], .convolution,
                    zero ? .constant(0) : .uniform(fanIn: 9 * inputs)),
                bias: registry.register("\(path).bias", [outputs], .plain, .constant(0)), stride: stride)
        }
        var width = configuration.channels, stages: [Stage] = []
        stem = convolution("stem", ClassifierNetwork.inputs, width, stride: 2)
        for stage in 0..<3 {
            let path = "stage\(stage)", inputs = width
            width = configuration.channels << stage
            let entry =
                stage == 0
                ? nil : (norm("\(path).norm0", inputs), convolution("\(path).conv0", inputs, width, stride: 2))
            stages.append(
                Stage(
                    entry: entry,
                    first: (norm("\(path).norm1", width), convolution("\(path).conv1", width, width)),
                    second: (norm("\(path).norm2", width), convolution("\(path).conv2", width, width, zero: true))))
        }
        self.stages = stages
        last = norm("norm", width)
        output = (
            registry.register(
                "output.weight", [2 * width, configuration.classes], .linear, .uniform(fanIn: 2 * width)),
            registry.register("output.bias", [configuration.classes], .plain, .constant(0))
        )
        specifications = registry.specifications
    }

    /// [N, side, side, 6] -> [N, classes], logits.
    func callAsFunction(_ pictures: Variable, _ parameters: BoundParameters) -> Variable {
        func apply(
            _ layer: (norm: Norm, convolution: Convolution), _ x: Variable, residual: Variable? = nil
        ) -> Variable {
            .convolution(
                ConvolutionInput(
                    normalizing: [x], scale: parameters[layer.norm.scale], shift: parameters[layer.norm.shift],
                    Norm.settings),
                parameters[layer.convolution.weight], bias: parameters[layer.convolution.bias], residual: residual,
                stride: layer.convolution.stride, padding: 1)
        }
        var x = pictures.convolution(
            parameters[stem.weight], bias: parameters[stem.bias], stride: stem.stride, padding: 1)
        for stage in stages {
            if let entry = stage.entry { x = apply(entry, x) }
            x = apply(stage.second, apply(stage.first, x), residual: x)
        }
        x = x.groupNorm(
            scale: parameters[last.scale], shift: parameters[last.shift], groups: Norm.settings.groups,
            epsilon: Norm.settings.epsilon, silu: true)
        // A lesion fills few of the places, and squares keep it from being lost in the mean.
        let shape = [x.shape[0], x.shape[3]]
        let pooled = x.mean(axes: [1, 2]).reshaped(shape).concatenated(x.squared().mean(axes: [1, 2]).reshaped(shape))
        return pooled.linear(parameters[output.weight], bias: parameters[output.bias])
    }
}
