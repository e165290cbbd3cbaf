import TensorCore

/// The UNet that diffusers calls `UNet2DModel`, with its parameter paths.
///
/// The network holds no values: the parameters come with each call. So a model, its moving average and another site's
/// weights can share one network.
public struct UNet: Sendable {
    public let configuration: UNetConfiguration

    private let timeEmbedding: TimestepEmbedding
    private let convIn: Convolution, convOut: Convolution
    private let normOut: GroupNormalization
    private let down: [Level], up: [Level]
    private let middle: Middle?

    /// The residual blocks of one level, their attention blocks (none, or one after each), and the change of resolution
    /// at the level's end.
    private struct Level: Sendable {
        var residuals: [ResidualBlock] = []
        var attentions: [AttentionBlock] = []
        var resample: Convolution?
    }

    private struct Middle: Sendable {
        let first: ResidualBlock, attention: AttentionBlock?, second: ResidualBlock
    }

    /// - Parameter registry: registers the parameters, in the order of the forward pass.
    public init(_ configuration: UNetConfiguration, _ registry: ParameterRegistry) {
        if let problem = configuration.problem { fatalError("UNet: \(problem)") }
        self.configuration = configuration
        let widths = configuration.blockOutChannels
        convIn = Convolution(registry, "conv_in", in: configuration.inChannels, out: widths[0], kernel: 3)
        timeEmbedding = TimestepEmbedding(registry, "time_embedding", configuration)

        var skips = [widths[0]]
        var channels = widths[0]
        down = widths.enumerated().map { index, width in
            var level = Level()
            for layer in 0..<configuration.layersPerBlock {
                let path = "down_blocks.\(index)"
                level.residuals.append(
                    ResidualBlock(registry, "\(path).resnets.\(layer)", in: channels, out: width, configuration))
                if configuration.attentionLevels[index] {
                    level.attentions.append(
                        AttentionBlock(registry, "\(path).attentions.\(layer)", channels: width, configuration))
                }
                channels = width
                skips.append(width)
            }
            if index < widths.count - 1 {
                level.resample = Convolution(
                    registry, "down_blocks.\(index).downsamplers.0.conv", in: width, out: width, kernel: 3, stride: 2,
                    padding: configuration.downsamplePadding, trailing: 1)
                skips.append(width)
            }
            return level
        }
        middle =
            configuration.middle == .none
            ? nil
            : Middle(
                first: ResidualBlock(registry, "mid_block.resnets.0", in: channels, out: channels, configuration),
                attention: configuration.middle == .residual
                    ? nil
                    : AttentionBlock(
                        registry, "mid_block.attentions.0", channels: channels, configuration,
                        groups: configuration.middleNormGroups),
                second: ResidualBlock(registry, "mid_block.resnets.1", in: channels, out: channels, configuration))
        up = widths.reversed().enumerated().map { index, width in
            var level = Level()
            for layer in 0...configuration.layersPerBlock {
                let path = "up_blocks.\(index)"
                let inputs = channels + (skips.popLast() ?? 0)
                level.residuals.append(
                    ResidualBlock(registry, "\(path).resnets.\(layer)", in: inputs, out: width, configuration))
                if configuration.attendsUp(widths.count - 1 - index) {
                    level.attentions.append(
                        AttentionBlock(registry, "\(path).attentions.\(layer)", channels: width, configuration))
                }
                channels = width
            }
            if index < widths.count - 1 {
                level.resample = Convolution(
                    registry, "up_blocks.\(index).upsamplers.0.conv", in: width, out: width, kernel: 3)
            }
            return level
        }
        normOut = GroupNormalization(registry, "conv_norm_out", channels: channels, configuration: configuration)
        convOut = Convolution(registry, "conv_out", in: channels, out: configuration.outChannels, kernel: 3, zero: true)
    }

    /// - Parameters:
    ///   - x: [N, H, W, inChannels]; H and W are multiples of `sideMultiple`.
    ///   - timesteps: [N], any real numbers.
    ///   - classEmbedding: [N, embeddingWidth], added to the time embedding.
    /// - Returns: [N, H, W, outChannels].
    public func callAsFunction(
        _ x: Variable, timesteps: [Float], classEmbedding: Variable?, _ parameters: BoundParameters
    ) -> Variable {
        var embedding = timeEmbedding(timesteps, parameters)
        if let classEmbedding { embedding = embedding + classEmbedding }
        let activated = embedding.silu()

        var h = convIn(configuration.centersInput ? x.scaled(by: 2, offset: -1) : x, parameters)
        var skips = [h]
        for level in down {
            for (layer, residual) in level.residuals.enumerated() {
                h = residual(h, activated: activated, parameters)
                if !level.attentions.isEmpty { h = level.attentions[layer](h, parameters) }
                skips.append(h)
            }
            if let resample = level.resample {
                h = resample(h, parameters)
                skips.append(h)
            }
        }
        if let middle {
            h = middle.first(h, activated: activated, parameters)
            if let attention = middle.attention { h = attention(h, parameters) }
            h = middle.second(h, activated: activated, parameters)
        }
        for level in up {
            for (layer, residual) in level.residuals.enumerated() {
                h = residual(h, skip: skips.removeLast(), activated: activated, parameters)
                if !level.attentions.isEmpty { h = level.attentions[layer](h, parameters) }
            }
            if let resample = level.resample { h = resample(ConvolutionInput(upsampling: h), parameters) }
        }
        h = convOut(normOut.activated([h], parameters), parameters)
        guard configuration.time.kind == .fourier else { return h }
        return h * Variable(Tensor(timesteps.map { 1 / $0 }, shape: [timesteps.count, 1, 1, 1]))
    }
}
