import TensorCore

/// diffusers' `ResnetBlock2D`: norm1, SiLU, conv1, + projected embedding, norm2, SiLU, conv2, + shortcut.
struct ResidualBlock: Sendable {
    private let norm1: GroupNormalization, norm2: GroupNormalization
    private let conv1: Convolution, conv2: Convolution
    private let embeddingProjection: Linear
    private let shortcut: Convolution?
    /// The numbers of the block's parameters.
    private let own: Range<Int>

    init(
        _ registry: ParameterRegistry, _ path: String, in inputs: Int, out outputs: Int,
        _ configuration: UNetConfiguration
    ) {
        let first = registry.count
        norm1 = GroupNormalization(registry, "\(path).norm1", channels: inputs, configuration: configuration)
        conv1 = Convolution(registry, "\(path).conv1", in: inputs, out: outputs, kernel: 3)
        embeddingProjection = Linear(registry, "\(path).time_emb_proj", in: configuration.embeddingWidth, out: outputs)
        norm2 = GroupNormalization(registry, "\(path).norm2", channels: outputs, configuration: configuration)
        conv2 = Convolution(registry, "\(path).conv2", in: outputs, out: outputs, kernel: 3, zero: true)
        shortcut =
            inputs == outputs
            ? nil : Convolution(registry, "\(path).conv_shortcut", in: inputs, out: outputs, kernel: 1)
        own = first..<registry.count
    }

    /// - Parameters:
    ///   - skip: joined to x as if concatenated along the channels; or nil.
    ///   - activated: SiLU of the embedding, [N, embeddingWidth].
    func callAsFunction(_ x: Variable, skip: Variable? = nil, activated: Variable, _ parameters: BoundParameters)
        -> Variable
    {
        parameters.block(own, [activated, x] + (skip.map { [$0] } ?? [])) { inputs, parameters in
            forward(parts: Array(inputs[1...]), activated: inputs[0], parameters)
        }
    }

    private func forward(parts: [Variable], activated: Variable, _ parameters: BoundParameters) -> Variable {
        let x = parts[0], skip = parts.count > 1 ? parts[1] : nil
        let h = conv1(
            norm1.activated(parts, parameters), shift: embeddingProjection(activated, parameters), parameters)
        let straight: Variable
        switch (shortcut, skip) {
        case (let shortcut?, let skip?): straight = shortcut(x, besides: skip, parameters)
        case (let shortcut?, nil): straight = shortcut(x, parameters)
        case (nil, let skip?): straight = x.concatenated(skip)
        case (nil, nil): straight = x
        }
        return conv2(norm2.activated([h], parameters), residual: straight, parameters)
    }
}

/// diffusers' `Attention` in a UNet2DModel: group norm, queries, keys, values, output projection, + input.
struct AttentionBlock: Sendable {
    private let norm: GroupNormalization
    private let query: Linear, key: Linear, value: Linear, output: Linear
    private let heads: Int
    /// The numbers of the block's parameters.
    private let own: Range<Int>

    /// - Parameter groups: groups of the norm; 0 for those of the configuration.
    init(
        _ registry: ParameterRegistry, _ path: String, channels: Int, _ configuration: UNetConfiguration,
        groups: Int = 0
    ) {
        let first = registry.count
        let width: Int
        (heads, width) = configuration.heads(channels)
        norm = GroupNormalization(
            registry, "\(path).group_norm", channels: channels, configuration: configuration, groups: groups)
        query = Linear(registry, "\(path).to_q", in: channels, out: width)
        key = Linear(registry, "\(path).to_k", in: channels, out: width)
        value = Linear(registry, "\(path).to_v", in: channels, out: width)
        output = Linear(registry, "\(path).to_out.0", in: width, out: channels, zero: true)
        own = first..<registry.count
    }

    func callAsFunction(_ x: Variable, _ parameters: BoundParameters) -> Variable {
        parameters.block(own, [x]) { inputs, parameters in forward(inputs[0], parameters) }
    }

    private func forward(_ x: Variable, _ parameters: BoundParameters) -> Variable {
        let shape = x.shape
        // [N, H, W, C] -> [N, H * W, C]
        let tokens = norm(x, parameters).reshaped([shape[0], shape[1] * shape[2], shape[3]])
        let attended = query(tokens, parameters).attention(
            keys: key(tokens, parameters), values: value(tokens, parameters), heads: heads)
        return output(attended, parameters).reshaped(shape) + x
    }
}
