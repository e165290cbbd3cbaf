import Foundation
import TensorCore

/// Preconditioning: D(x; sigma) = c_skip x + c_out F(c_in x; c_noise), and the weight of the loss on D.
///
/// In wavelet space each channel has coefficients of its own, from its deviation.
public struct Preconditioning: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, CaseIterable, Sendable {
        /// Karras et al. 2022, equation 7, table 1.
        case edm
        /// Flow matching on straight paths (Lipman et al. 2023; Liu et al. 2023), with t = sigma / (1 + sigma): F is
        /// the velocity n - y at x / (1 + sigma) = (1 - t) y + t n.
        case flow
        /// Discrete timesteps; see `DiscreteNoise`.
        case discrete
    }

    public var kind: Kind
    /// Standard deviation of the data; in wavelet space that of the coarsest band, which alone weights the loss.
    public var sigmaData: Float
    /// Deviation of each channel about 0; empty where all have `sigmaData`.
    public var channelDeviations: [Float]
    /// 0 weights the loss of every channel as the coarsest band's; 1 as each channel's own deviation asks for (unit
    /// weight on F); between them geometrically.
    public var bandWeighting: Float
    /// Weight the squared error of each picture by what c_skip alone leaves at its noise level, summed over all
    /// channels. All channels then count alike, and so do all noise levels; `bandWeighting` is not used.
    public var relativeLoss: Bool
    /// Multiply the network's input once more by d / sqrt(sigma^2 + d^2), so that a channel whose signal drowns in the
    /// noise goes to 0 instead of filling the input with noise of deviation 1. With one deviation for all channels
    /// there is nothing to gain.
    public var shrinksInput: Bool
    /// Whether the network has a further channel that says where the picture is black; see `DenoiserHead`.
    public var gatesSurround: Bool
    /// What a model of discrete timesteps was trained with; of no consequence to other kinds.
    public var discrete = DiscreteNoise()

    public init(
        kind: Kind = .edm, sigmaData: Float = 0.5, channelDeviations: [Float] = [], bandWeighting: Float = 0,
        relativeLoss: Bool = false, shrinksInput: Bool = false, gatesSurround: Bool = false
    ) {
        self.kind = kind
        self.sigmaData = sigmaData
        self.channelDeviations = channelDeviations
        self.bandWeighting = bandWeighting
        self.relativeLoss = relativeLoss
        self.shrinksInput = shrinksInput
        self.gatesSurround = gatesSurround
    }

    private enum CodingKeys: CodingKey {
        case kind, sigmaData, channelDeviations, bandWeighting, relativeLoss, shrinksInput, gatesSurround, discrete
    }

    /// Keys that older files lack have their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        kind = try container.decodeIfPresent(Kind.self, forKey: .kind) ?? .edm
        sigmaData = try container.decode(Float.self, forKey: .sigmaData)
        channelDeviations = try container.decodeIfPresent([Float].self, forKey: .channelDeviations) ?? []
        bandWeighting = try container.decodeIfPresent(Float.self, forKey: .bandWeighting) ?? 0
        relativeLoss = try container.decodeIfPresent(Bool.self, forKey: .relativeLoss) ?? false
        shrinksInput = try container.decodeIfPresent(Bool.self, forKey: .shrinksInput) ?? false
        gatesSurround = try container.decodeIfPresent(Bool.self, forKey: .gatesSurround) ?? false
        discrete = try container.decodeIfPresent(DiscreteNoise.self, forKey: .discrete) ?? DiscreteNoise()
    }

    /// One sentence on what is wrong with numbers that came from a file, or nil.
    public func problem(channels: Int) -> String? {
        guard sigmaData > 0, sigmaData.isFinite else {
            return "sigmaData: expected a positive number, found \(sigmaData)"
        }
        guard channelDeviations.isEmpty || channelDeviations.count == channels else {
            return "channelDeviations: expected \(channels) numbers or none, found \(channelDeviations.count)"
        }
        guard channelDeviations.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            return "channelDeviations: expected positive numbers"
        }
        guard (0...1).contains(bandWeighting) else { return "bandWeighting: expected 0 to 1, found \(bandWeighting)" }
        guard !gatesSurround || kind == .edm else {
            return "gatesSurround: expected false for preconditioning.kind \(kind.rawValue), found true"
        }
        return discrete.problem.map { "discrete.\($0)" }
    }

    private static func sum(_ sigma: Float, _ deviation: Float) -> Float { sigma * sigma + deviation * deviation }

    /// c_skip of a channel of this deviation.
    public func skip(_ sigma: Float, deviation: Float) -> Float {
        switch (kind, discrete.prediction) {
        case (.edm, _): deviation * deviation / Preconditioning.sum(sigma, deviation)
        case (.flow, _): 1 / (1 + sigma)
        case (.discrete, .epsilon): 1
        case (.discrete, .velocity): 1 / Preconditioning.sum(sigma, 1)
        case (.discrete, .sample): 0
        }
    }

    /// c_out
    public func out(_ sigma: Float, deviation: Float) -> Float {
        switch (kind, discrete.prediction) {
        case (.edm, _): sigma * deviation / Preconditioning.sum(sigma, deviation).squareRoot()
        case (.flow, _): -sigma / (1 + sigma)
        case (.discrete, .epsilon): -sigma
        case (.discrete, .velocity): -sigma / Preconditioning.sum(sigma, 1).squareRoot()
        case (.discrete, .sample): 1
        }
    }

    /// c_in
    public func input(_ sigma: Float, deviation: Float) -> Float {
        switch kind {
        case .edm where shrinksInput: deviation / Preconditioning.sum(sigma, deviation)
        case .edm: 1 / Preconditioning.sum(sigma, deviation).squareRoot()
        case .flow: 1 / (1 + sigma)
        case .discrete: 1 / Preconditioning.sum(sigma, 1).squareRoot()
        }
    }

    /// c_noise. Of EDM and flow matching 100 ln(sigma) / 4: the paper's ln(sigma) / 4 in the units of the network's
    /// sinusoids, whose highest frequency is one radian a unit, as for DDPM's timesteps.
    public func noise(_ sigma: Float) -> Float { kind == .discrete ? discrete.timestep(sigma) : 25 * log(sigma) }

    /// The noise levels that sampling goes through: Karras et al. 2022, table 1, within those that the model knows.
    public var sampledSigmas: ClosedRange<Float> {
        guard kind == .discrete else { return 0.002...80 }
        let known = discrete.sigmas
        let low = max(0.002, Float(known[0]))
        return low...max(low * 1.001, min(80, Float(known[known.count - 1])))
    }

    /// lambda(sigma), with which the loss on F has unit weight at every noise level: 1 / c_out^2 (table 1).
    public func lossWeight(_ sigma: Float, deviation: Float) -> Float {
        func unit(_ deviation: Float) -> Float {
            let out = out(sigma, deviation: deviation)
            return 1 / (out * out)
        }
        if bandWeighting == 0 || deviation == sigmaData { return unit(sigmaData) }
        return pow(unit(sigmaData), 1 - bandWeighting) * pow(unit(deviation), bandWeighting)
    }

    /// Channels that the network has beside those of the picture: one says where it is black, and the rest fill up a
    /// panel of sixteen, in which convolutions are fastest.
    public var extraChannels: Int { gatesSurround ? 16 : 0 }

    /// What the gate's channel must exceed before black is the more probable. A new network's is 0, so it takes a place
    /// for black with probability 0.02, and its first pictures are hardly darkened.
    static let gateOffset: Float = 4

    /// The weight of a picture's mean squared error: 1 / mean of c_out^2 over channels, which is 1 / the mean squared
    /// error of c_skip x alone.
    func relativeWeight(_ sigma: Float, channels: Range<Int>) -> Float {
        let deviations = channelDeviations.isEmpty ? [sigmaData] : Array(channelDeviations[channels])
        let sum = deviations.reduce(Float(0)) { $0 + out(sigma, deviation: $1) * out(sigma, deviation: $1) }
        return Float(deviations.count) / sum
    }

    /// A coefficient for each picture and channel, [N, 1, 1, C], or [N, 1, 1, 1] where all channels have one.
    func column(_ sigma: [Float], _ coefficient: (Float, Float) -> Float) -> Tensor {
        let deviations = channelDeviations.isEmpty ? [sigmaData] : channelDeviations
        return Tensor(
            sigma.flatMap { level in deviations.map { coefficient(level, $0) } },
            shape: [sigma.count, 1, 1, deviations.count])
    }
}
