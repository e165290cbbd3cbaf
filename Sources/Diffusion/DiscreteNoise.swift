import Foundation

/// The noise levels of a model that was trained at discrete timesteps (Ho et al. 2020), and what its network predicts,
/// in the terms of diffusers' schedulers.
///
/// Such a network is given x_t = sqrt(a_t) y + sqrt(1 - a_t) n, where a_t is the product of 1 - beta up to t. That is
/// (y + sigma n) / sqrt(1 + sigma^2) at sigma = sqrt((1 - a_t) / a_t) (Karras et al. 2022, table 1, "VP").
public struct DiscreteNoise: Codable, Hashable, Sendable {
    /// The output of the network; y is the clean picture and n the noise.
    public enum Prediction: String, Codable, CaseIterable, Sendable {
        /// The noise n.
        case epsilon
        /// sqrt(a_t) n - sqrt(1 - a_t) y (Salimans and Ho 2022).
        case velocity = "v_prediction"
        /// The clean picture y.
        case sample
    }

    /// How beta depends on the timestep.
    public enum BetaSchedule: String, Codable, CaseIterable, Sendable {
        case linear
        /// The squares of numbers that grow linearly.
        case scaledLinear = "scaled_linear"
        /// Nichol and Dhariwal 2021, equation 17.
        case cosine = "squaredcos_cap_v2"
    }

    public var prediction = Prediction.epsilon
    public var schedule = BetaSchedule.linear
    /// Betas of the first and the last timestep; the cosine schedule does not use them.
    public var betaStart = 0.0001
    public var betaEnd = 0.02
    public var timesteps = 1000

    public init() {}

    /// One sentence that says what is wrong, or nil.
    public var problem: String? {
        guard (2...100_000).contains(timesteps) else { return "timesteps: expected 2 to 100000, found \(timesteps)" }
        guard betaStart > 0, betaStart <= betaEnd, betaEnd < 1 else {
            return "betaStart and betaEnd: expected 0 < betaStart <= betaEnd < 1, found \(betaStart) and \(betaEnd)"
        }
        return nil
    }

    private var betas: [Double] {
        func between(_ first: Double, _ last: Double, _ step: Int) -> Double {
            first + (last - first) * Double(step) / Double(timesteps - 1)
        }
        /// a at this share of the schedule.
        func cosine(_ share: Double) -> Double {
            let root = cos((share + 0.008) / 1.008 * Double.pi / 2)
            return root * root
        }
        return (0..<timesteps).map { step in
            switch schedule {
            case .linear: return between(betaStart, betaEnd, step)
            case .scaledLinear:
                let root = between(betaStart.squareRoot(), betaEnd.squareRoot(), step)
                return root * root
            case .cosine:
                return min(
                    0.999, 1 - cosine(Double(step + 1) / Double(timesteps)) / cosine(Double(step) / Double(timesteps)))
            }
        }
    }

    /// The sigma of each timestep, rising.
    public var sigmas: [Double] {
        var kept = 1.0
        return betas.map { beta in
            kept *= 1 - beta
            return ((1 - kept) / kept).squareRoot()
        }
    }

    /// The timestep whose level is sigma. Between the levels of two timesteps it is interpolated, linearly in ln sigma;
    /// beyond the first or last level it is the first or last timestep.
    public func timestep(_ sigma: Float) -> Float {
        let levels = sigmas, level = Double(sigma)
        guard let above = levels.firstIndex(where: { $0 >= level }) else { return Float(timesteps - 1) }
        guard above > 0 else { return 0 }
        let low = log(levels[above - 1]), high = log(levels[above])
        return Float(Double(above - 1) + (log(level) - low) / (high - low))
    }
}
