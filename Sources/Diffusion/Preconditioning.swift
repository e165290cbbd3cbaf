import Foundation
import TensorCore

/// Preconditioning: D(x; sigma) = c_skip x + c_out F(c_in x; c_noise), and the weight of the loss on D.
///
/// In wavelet and cosine spaces each channel has its own coefficients, which follow from the channel's deviation.
public struct Preconditioning: Codable, Hashable, Sendable {
    /// The kind of training, which decides the coefficients.
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
    /// Standard deviation of the data. With channel deviations it is that of the coarsest band, which weights the loss.
    public var sigmaData: Float
    /// The deviation of each channel about 0; empty where all channels have `sigmaData`.
    public var channelDeviations: [Float]
    /// With 0, the loss of every channel is weighted like that of the coarsest band. With 1, it is weighted by the
    /// channel's own deviation (unit weight on F). Values between give weighted geometric means.
    public var bandWeighting: Float
    /// Whether the squared error of each picture is weighted by what c_skip alone leaves at its noise level, summed
    /// over all channels. All channels then have the same weight, and so do all noise levels; `bandWeighting` is not
    /// used.
    public var relativeLoss: Bool
    /// Whether the network's input is multiplied once more by d / sqrt(sigma^2 + d^2). A channel whose signal is much
    /// weaker than the noise then goes to 0, instead of filling the input with noise of deviation 1. Where all channels
    /// have the same deviation, this has no advantage.
    public var shrinksInput: Bool
    /// Whether the network has a further channel that predicts where the picture is black; see `DenoiserHead`.
    public var gatesSurround: Bool
    /// The noise levels and the prediction of a model of discrete timesteps; other kinds do not use this.
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

    /// Keys that are missing in older files get their defaults.
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

    /// One sentence that says what is wrong with numbers from a file, or nil.
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

    /// c_noise. For EDM and flow matching it is 100 ln(sigma) / 4. This is the paper's ln(sigma) / 4 in the units of
    /// the network's sinusoids, whose highest frequency is one radian per unit, as for DDPM's timesteps.
    public func noise(_ sigma: Float) -> Float { kind == .discrete ? discrete.timestep(sigma) : 25 * log(sigma) }

    /// The noise levels that sampling goes through: those of Karras et al. 2022, table 1, limited to the levels that
    /// the model knows.
    public var sampledSigmas: ClosedRange<Float> {
        guard kind == .discrete else { return 0.002...80 }
        let known = discrete.sigmas
        let low = max(0.002, Float(known[0]))
        return low...max(low * 1.001, min(80, Float(known[known.count - 1])))
    }

    /// lambda(sigma) = 1 / c_out^2 (table 1), which gives the loss on F unit weight at every noise level.
    public func lossWeight(_ sigma: Float, deviation: Float) -> Float {
        func unit(_ deviation: Float) -> Float {
            let out = out(sigma, deviation: deviation)
            return 1 / (out * out)
        }
        if bandWeighting == 0 || deviation == sigmaData { return unit(sigmaData) }
        return pow(unit(sigmaData), 1 - bandWeighting) * pow(unit(deviation), bandWeighting)
    }

    /// The number of output channels after those of the picture. One predicts where the picture is black. The others
    /// only fill up a panel of sixteen channels, with which convolutions are fastest.
    public var extraChannels: Int { gatesSurround ? 16 : 0 }

    /// The value that the gate's channel must exceed before black is more probable than not. A new network gives 0
    /// there, so it takes a place for black with probability 0.02 and hardly darkens its first pictures.
    static let gateOffset: Float = 4

    /// The weight of a picture's mean squared error: 1 / the mean of c_out^2 over channels. This equals 1 / the mean
    /// squared error of c_skip x alone.
    func relativeWeight(_ sigma: Float, channels: Range<Int>) -> Float {
        let deviations = channelDeviations.isEmpty ? [sigmaData] : Array(channelDeviations[channels])
        let sum = deviations.reduce(Float(0)) { $0 + out(sigma, deviation: $1) * out(sigma, deviation: $1) }
        return Float(deviations.count) / sum
    }

    /// A coefficient for each picture and channel, [N, 1, 1, C], or [N, 1, 1, 1] where all channels share one
    /// coefficient.
    func column(_ sigma: [Float], _ coefficient: (Float, Float) -> Float) -> Tensor {
        let deviations = channelDeviations.isEmpty ? [sigmaData] : channelDeviations
        return Tensor(
            sigma.flatMap { level in deviations.map { coefficient(level, $0) } },
            shape: [sigma.count, 1, 1, deviations.count])
    }
}
