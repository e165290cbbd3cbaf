extension UNetConfiguration {
    /// Floating-point operations of a forward pass over one picture: two for every multiply-add of convolutions (as if
    /// computed directly), linear layers and attention. Norms and activations are not counted. The count assumes a
    /// middle with attention, and the same attention levels up as down.
    public func forwardOperations(height: Int, width: Int) -> Double {
        var multiplyAdds = 0
        var pixels = height * width
        func convolution(_ inputs: Int, _ outputs: Int, kernel: Int = 3) {
            multiplyAdds += pixels * kernel * kernel * inputs * outputs
        }
        func linear(_ inputs: Int, _ outputs: Int) { multiplyAdds += inputs * outputs }
        func residual(_ inputs: Int, _ outputs: Int) {
            convolution(inputs, outputs)
            convolution(outputs, outputs)
            linear(embeddingWidth, outputs)
            if inputs != outputs { convolution(inputs, outputs, kernel: 1) }
        }
        // The four projections, then the scores and the weighted values.
        func attention(_ channels: Int) { multiplyAdds += pixels * channels * (4 * channels + 2 * pixels) }

        linear(blockOutChannels[0], embeddingWidth)
        linear(embeddingWidth, embeddingWidth)
        convolution(inChannels, blockOutChannels[0])
        var skips = [blockOutChannels[0]], channels = blockOutChannels[0]
        for (level, outputs) in blockOutChannels.enumerated() {
            for _ in 0..<layersPerBlock {
                residual(channels, outputs)
                if attentionLevels[level] { attention(outputs) }
                channels = outputs
                skips.append(outputs)
            }
            if level < blockOutChannels.count - 1 {
                pixels /= 4
                convolution(outputs, outputs)
                skips.append(outputs)
            }
        }
        residual(channels, channels)
        attention(channels)
        residual(channels, channels)
        for (level, outputs) in blockOutChannels.enumerated().reversed() {
            for _ in 0...layersPerBlock {
                residual(channels + (skips.popLast() ?? 0), outputs)
                if attentionLevels[level] { attention(outputs) }
                channels = outputs
            }
            if level > 0 {
                pixels *= 4
                convolution(outputs, outputs)
            }
        }
        convolution(channels, outChannels)
        return 2 * Double(multiplyAdds)
    }
}
