import Files

/// How a copy detector is built and trained. The configuration and the pictures decide every byte of the result.
package struct CopyDetectorConfiguration: Codable, Hashable, Sendable {
    /// The width and height in pixels to which pictures are resized, a multiple of 16.
    package var side = 64
    /// The number of the optimizer's steps.
    package var steps = 1800
    /// How many pictures each step takes, with two views of each; fewer where there are fewer pictures.
    package var batch = 48
    /// The length of a feature vector.
    package var width = 512
    /// The channels of the first layer, a multiple of 8. The deeper layers have two or four times as many.
    package var channels = 16
    /// The number of cells along a side over which the last layer is averaged before the projection. With one cell, the
    /// features forget where things lie. Copies are told best with as many cells as the layer has (side / 16).
    package var grid = 4
    /// The temperature of the softmax over similarities. Chen et al. 2020 take 0.1; half of that moves strangers
    /// farther apart.
    package var temperature = 0.05
    package var learningRate = 4e-3
    package var weightDecay = 1e-2
    /// The share of views that are mixed with another picture.
    package var blending = 0.7
    package var seed: UInt64 = 1

    package init() {}

    /// One sentence that says what is wrong; nil where nothing is.
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
