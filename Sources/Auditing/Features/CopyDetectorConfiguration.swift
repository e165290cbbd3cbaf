import Files

/// How a copy detector is built and trained. With the pictures, it decides every byte of the result.
package struct CopyDetectorConfiguration: Codable, Hashable, Sendable {
    /// Width and height that pictures are brought to, in pixels; a multiple of 16.
    package var side = 64
    /// Steps of the optimizer.
    package var steps = 1800
    /// Pictures a step, of each of which two views are compared; fewer where there are not as many.
    package var batch = 48
    /// Length of a feature vector.
    package var width = 512
    /// Channels of the first layer, a multiple of 8; the deeper ones have two, four and four times as many.
    package var channels = 16
    /// Cells along a side that the last layer is averaged over before the projection: 1 forgets where things lie. As
    /// many as the layer has (side / 16) is what tells copies best.
    package var grid = 4
    /// Temperature of the softmax over similarities (Chen et al. 2020: 0.1; half of it spreads strangers farther).
    package var temperature = 0.05
    package var learningRate = 4e-3
    package var weightDecay = 1e-2
    /// The share of views that are mixed with another picture.
    package var blending = 0.7
    package var seed: UInt64 = 1

    package init() {}

    /// One sentence on what is wrong, or nil.
    package var problem: String? {
        func outside<Value: Comparable>(_ name: String, _ value: Value, _ range: ClosedRange<Value>) -> String? {
            range.contains(value) ? nil : "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)"
        }
        if side % 16 != 0 { return "side: expected a multiple of 16, found \(side)" }
        if channels % 8 != 0 { return "channels: expected a multiple of 8, found \(channels)" }
        if let found = outside("side", side, 32...256) ?? outside("steps", steps, 0...1_000_000) ?? outside(
            "batch", batch, 2...1024)
            ?? outside("width", width, 2...1024) ?? outside("channels", channels, 8...128)
            ?? outside("grid", grid, 1...16)
        {
            return found
        }
        if (side / 16) % grid != 0 {
            return "grid: expected a divisor of side / 16, which is \(side / 16), found \(grid)"
        }
        return outside("temperature", temperature, 0.01...10) ?? outside("learningRate", learningRate, 0...1)
            ?? outside("weightDecay", weightDecay, 0...1) ?? outside("blending", blending, 0...1)
    }
}
