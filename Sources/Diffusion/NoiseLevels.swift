import Foundation
import Randomness
import Statistics
import TensorCore

/// The distribution of training noise levels: ln(sigma) ~ N(mean, deviation^2) (Karras et al. 2022, table 1). For a
/// share of the images, ln(sigma) is uniform between two levels instead, so that every level in use is trained.
public struct NoiseLevels: Codable, Hashable, Sendable {
    public var mean: Double
    public var deviation: Double
    /// The share of images whose ln(sigma) is uniform.
    public var uniformShare: Double
    /// The lowest and highest level of the uniform part.
    public var lowest: Double, highest: Double

    public init(
        mean: Double = -1.2, deviation: Double = 1.2, uniformShare: Double = 0, lowest: Double = 0.002,
        highest: Double = 80
    ) {
        self.mean = mean
        self.deviation = deviation
        self.uniformShare = uniformShare
        self.lowest = lowest
        self.highest = highest
    }

    private enum CodingKeys: CodingKey { case mean, deviation, uniformShare, lowest, highest }

    /// Keys that are missing in older files get their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let standard = NoiseLevels()
        mean = try container.decode(Double.self, forKey: .mean)
        deviation = try container.decode(Double.self, forKey: .deviation)
        uniformShare = try container.decodeIfPresent(Double.self, forKey: .uniformShare) ?? standard.uniformShare
        lowest = try container.decodeIfPresent(Double.self, forKey: .lowest) ?? standard.lowest
        highest = try container.decodeIfPresent(Double.self, forKey: .highest) ?? standard.highest
    }

    /// One sentence that says what is wrong, or nil.
    public var problem: String? {
        guard abs(mean) <= 20, deviation > 0, deviation <= 20 else {
            return "expected a mean from -20 to 20 and a deviation above 0 up to 20, found \(mean) and \(deviation)"
        }
        guard (0...1).contains(uniformShare) else { return "uniformShare: expected 0 to 1, found \(uniformShare)" }
        guard lowest >= 1e-6, lowest < highest, highest <= 1e6 else {
            return
                """
                lowest: expected 1e-6 or more and less than highest, which is at most 1e6; found \(lowest) and \
                \(highest)
                """
        }
        return nil
    }

    /// Draws a noise level for one image.
    public func sigma(_ random: inout Philox) -> Float {
        if uniformShare > 0, random.nextUniform() < uniformShare {
            return Float(exp(log(lowest) + random.nextUniform() * log(highest / lowest)))
        }
        return Float(exp(mean + deviation * random.nextNormal()))
    }

    /// The level at which samples start, where training went well above `highest`, the highest level of a sampler's
    /// schedule. Nil otherwise.
    public func start(above highest: Float) -> Float? {
        uniformShare > 0 && self.highest >= 2 * Double(highest) ? Float(self.highest) : nil
    }

    /// The level below which this share of the training noise levels lies.
    public func sigma(quantile: Double) -> Float {
        if uniformShare == 0 { return Float(exp(mean + deviation * normalQuantile(quantile))) }
        var low = min(log(lowest), mean - 10 * deviation), high = max(log(highest), mean + 10 * deviation)
        for _ in 0..<64 {
            let middle = (low + high) / 2
            if share(below: middle) < quantile { low = middle } else { high = middle }
        }
        return Float(exp((low + high) / 2))
    }

    /// The share of images whose ln(sigma) lies below `level`.
    private func share(below level: Double) -> Double {
        let normal = 0.5 * erfc(-(level - mean) / (deviation * 2.0.squareRoot()))
        let uniform = min(max((level - log(lowest)) / log(highest / lowest), 0), 1)
        return uniformShare * uniform + (1 - uniformShare) * normal
    }
}
