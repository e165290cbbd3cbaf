import Pictures
import Networks
import TensorCore

/// The network of the copy detector: five 3x3 convolutions, four of them with stride 2; the mean over the cells of a
/// grid; and a projection. Group norm and SiLU come before each convolution but the first.
struct DetectorNetwork: Sendable {
    let specifications: [ParameterSpecification]
    private let layers: [Layer]
    private let last: Norm
    private let projection: (weight: Int, bias: Int)
    private let grid: Int

    private struct Norm { let scale: Int, shift: Int }

    private struct Layer {
        let norm: Norm?
        let weight: Int, bias: Int
        let stride: Int
    }

    private static let norm = GroupNormSettings(groups: 8, epsilon: 1e-5, silu: true)

    init(_ configuration: CopyDetectorConfiguration) {
        let registry = ParameterRegistry()
        func norm(_ path: String, _ channels: Int) -> Norm {
            Norm(
                scale: registry.register("\(path).weight", [channels], .plain, .constant(1)),
                shift: registry.register("\(path).bias", [channels], .plain, .constant(0)))
        }
        var layers: [Layer] = [], inputs = 3
        for (number, (factor, stride)) in [(1, 2), (2, 2), (4, 2), (4, 1), (4, 2)].enumerated() {
            let outputs = factor * configuration.channels, fan = 9 * inputs
            layers.append(
                Layer(
                    norm: number == 0 ? nil : norm("norm\(number)", inputs),
                    weight: registry.register(
                        "conv\(number).weight", [3, 3, inputs, outputs], .convolution, .uniform(fanIn: fan)),
                    bias: registry.register("conv\(number).bias", [outputs], .plain, .constant(0)), stride: stride))
            inputs = outputs
        }
        last = norm("norm\(layers.count)", inputs)
        grid = configuration.grid
        let pooled = inputs * grid * grid
        projection = (
            registry.register("projection.weight", [pooled, configuration.width], .linear, .uniform(fanIn: pooled)),
            registry.register("projection.bias", [configuration.width], .plain, .constant(0))
        )
        self.layers = layers
        specifications = registry.specifications
    }

    /// [N, side, side, 3] -> [N, width]. The feature vectors may have any length.
    func callAsFunction(_ pictures: Variable, _ parameters: BoundParameters) -> Variable {
        var x = pictures
        for layer in layers {
            let input =
                layer.norm.map {
                    ConvolutionInput(
                        normalizing: [x], scale: parameters[$0.scale], shift: parameters[$0.shift], Self.norm)
                } ?? ConvolutionInput(x)
            x = .convolution(
                input, parameters[layer.weight], bias: parameters[layer.bias], stride: layer.stride, padding: 1)
        }
        x = x.groupNorm(
            scale: parameters[last.scale], shift: parameters[last.shift], groups: 8, epsilon: 1e-5, silu: true)
        // [N, H, W, C] -> [N, grid, H / grid, grid, W / grid, C] -> [N, grid * grid * C]
        let (count, side, channels) = (x.shape[0], x.shape[1], x.shape[3])
        let cells = x.reshaped([count, grid, side / grid, grid, side / grid, channels]).mean(axes: [2, 4])
        return cells.reshaped([count, grid * grid * channels]).linear(
            parameters[projection.weight], bias: parameters[projection.bias])
    }

    /// Shifts the projection so that the features have mean 0 over `pictures`, which are not disguised.
    func center(_ parameters: inout ParameterMap, on pictures: [FloatPicture]) {
        let constants = parameters.constants(reused: true)
        var bias = parameters.tensors[projection.bias].elements
        var sums = [Double](repeating: 0, count: bias.count)
        for first in stride(from: 0, to: pictures.count, by: 32) {
            let features = self(
                Variable(FloatPicture.input(pictures[first..<min(first + 32, pictures.count)])), constants
            ).tensor.elements
            for i in features.indices { sums[i % bias.count] += Double(features[i]) }
        }
        for column in bias.indices { bias[column] -= Float(sums[column] / Double(pictures.count)) }
        parameters.tensors[projection.bias] = Tensor(bias, shape: [bias.count])
    }
}
