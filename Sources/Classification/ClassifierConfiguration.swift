import Foundation

/// How a picture classifier is built and trained. The configuration and the pictures decide every byte of the result.
package struct ClassifierConfiguration: Codable, Hashable, Sendable {
    /// How the classes are weighed against each other.
    package enum Balance: String, Codable, CaseIterable, Sendable {
        /// Each picture counts alike, so that a rare class counts little.
        case none
        /// The loss of a picture is divided by the share of its class.
        case weights
        /// Pictures of each class are drawn equally often.
        case resampling
    }

    /// The width and height in pixels to which pictures are resized, a multiple of 8.
    package var side = 64
    package var classes: Int
    /// The channels of the first stage, a multiple of 8; the second and the third have two and four times as many.
    package var channels = 16
    /// The number of the optimizer's steps, whatever is trained on: all arms of a comparison compute alike.
    package var steps = 600
    package var batch = 32
    package var learningRate = 4e-3
    package var weightDecay = 0.02
    /// Whether pictures are turned, scaled, shifted, and changed in exposure and colour temperature.
    package var augments = true
    /// Whether half of the pictures are mirrored where `augments` is set. Mirroring swaps left and right eyes.
    package var mirrors = true
    package var balance = Balance.none
    /// How often the weights are tried on validation pictures. The best are kept.
    package var checks = 6
    package var seed: UInt64 = 1

    package init(classes: Int) { self.classes = classes }

    /// One sentence that says what is wrong; nil where nothing is.
    package var problem: String? {
        if side % 8 != 0 || !(16...256).contains(side) {
            return "side: expected a multiple of 8 from 16 to 256, found \(side)"
        }
        if channels % 8 != 0 || !(8...128).contains(channels) {
            return "channels: expected a multiple of 8 from 8 to 128, found \(channels)"
        }
        for (name, value, range) in [
            ("classes", classes, 2...100), ("steps", steps, 1...1_000_000), ("batch", batch, 2...1024),
            ("checks", checks, 1...1000),
        ] where !range.contains(value) {
            return "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)"
        }
        return nil
    }

    /// The learning rate of a step. It rises over the first 20 steps, and falls along half a cosine to a hundredth.
    func learningRate(step: Int) -> Float {
        let warmUp = min(1, Double(step + 1) / 20), done = Double(step) / Double(steps)
        return Float(learningRate * warmUp * (0.01 + 0.99 * (1 + cos(.pi * done)) / 2))
    }
}
