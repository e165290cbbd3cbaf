import Foundation
import TensorCore

/// How a noise level is given to the network, in the terms of diffusers' `UNet2DModel`.
public struct TimeEmbeddingConfiguration: Codable, Hashable, Sendable {
    /// How a timestep becomes an embedding.
    public enum Kind: String, Codable, CaseIterable, Sendable {
        /// Sinusoids of the timestep (Ho et al. 2020).
        case positional
        /// Sinusoids of random multiples of the timestep's logarithm; the output is divided by the timestep (Song et
        /// al. 2021).
        case fourier
        /// A table with a row for each timestep 0, 1, 2, ...
        case learned
    }

    public var kind = Kind.positional
    /// Whether sines come before cosines (`flip_sin_to_cos: false`).
    public var sineFirst = false
    /// Subtracted from the number of frequencies in the exponent's denominator (`freq_shift`).
    public var frequencyShift = 0.0
    /// Rows of a learned table.
    public var timesteps = 0
    /// The width of the embedding; 0 for four times the first level's channels.
    public var width = 0

    public init() {}

    /// One sentence that says what is wrong, or nil.
    func problem(width channels: Int) -> String? {
        guard kind == .learned ? (1...100_000).contains(timesteps) : timesteps == 0 else {
            return
                """
                timesteps: expected \(kind == .learned ? "1 to 100000" : "0 where the table is not learned"), found \
                \(timesteps)
                """
        }
        guard (0...65536).contains(width) else { return "width: expected 0 to 65536, found \(width)" }
        guard kind != .positional || frequencyShift < Double(channels / 2), frequencyShift.isFinite else {
            return "frequencyShift: expected less than half of the first level's channels, found \(frequencyShift)"
        }
        return nil
    }
}

extension TimeEmbeddingConfiguration {
    /// [N, width]: cosines, then sines (sines first where `sineFirst`), of t / 10000^(i / (width / 2 -
    /// frequencyShift)), and a zero where the width is odd. This is diffusers' `get_timestep_embedding`.
    package func sinusoid(_ timesteps: [Float], width: Int) -> Tensor {
        let half = width / 2
        return Tensor(shape: [timesteps.count, width]) { target in
            target.update(repeating: 0)
            for (row, timestep) in timesteps.enumerated() {
                for i in 0..<half {
                    let angle = Double(timestep) * exp(-log(10000) * Double(i) / (Double(half) - frequencyShift))
                    target[row * width + i + (sineFirst ? half : 0)] = Float(cos(angle))
                    target[row * width + i + (sineFirst ? 0 : half)] = Float(sin(angle))
                }
            }
        }
    }
}

/// The embedding of a noise level, followed by two linear layers (diffusers' `time_proj` and `TimestepEmbedding`).
struct TimestepEmbedding: Sendable {
    private let linear1: Linear, linear2: Linear
    private let width: Int
    private let settings: TimeEmbeddingConfiguration
    /// The number of the parameter that holds the random multiples or the learned table.
    private let table: Int?

    init(_ registry: ParameterRegistry, _ path: String, _ configuration: UNetConfiguration) {
        settings = configuration.time
        width = configuration.blockOutChannels[0]
        table =
            switch settings.kind {
            case .positional: nil
            case .fourier: registry.register("time_proj.weight", [width], .plain, .normal(deviation: 16))
            case .learned:
                registry.register("time_proj.weight", [settings.timesteps, width], .plain, .normal(deviation: 1))
            }
        linear1 = Linear(
            registry, "\(path).linear_1", in: settings.kind == .fourier ? 2 * width : width,
            out: configuration.embeddingWidth)
        linear2 = Linear(
            registry, "\(path).linear_2", in: configuration.embeddingWidth, out: configuration.embeddingWidth)
    }

    /// [N] -> [N, embeddingWidth]
    func callAsFunction(_ timesteps: [Float], _ parameters: BoundParameters) -> Variable {
        let embedded: Variable
        switch (settings.kind, table.map { parameters[$0] }) {
        case (.fourier, let multiples?):
            // The multiples are not trained.
            embedded = Variable(TimestepEmbedding.fourier(timesteps, multiples.tensor.elements))
        case (.learned, let table?):
            embedded = table.embedding(timesteps.map { Int(max(0, min(Float(settings.timesteps - 1), $0)).rounded()) })
        default:
            embedded = Variable(settings.sinusoid(timesteps, width: width))
        }
        return linear2(linear1(embedded, parameters).silu(), parameters)
    }

    /// [N, 2 count]: sines, then cosines, of 2 pi w ln(t) for each multiple w. The angles are hundreds of turns, so
    /// they are rounded exactly where diffusers rounds them.
    static func fourier(_ timesteps: [Float], _ multiples: [Float]) -> Tensor {
        let count = multiples.count
        return Tensor(shape: [timesteps.count, 2 * count]) { target in
            for (row, timestep) in timesteps.enumerated() {
                for (i, multiple) in multiples.enumerated() {
                    let angle = Double(log(timestep) * multiple * 2 * Float.pi)
                    target[row * 2 * count + i] = Float(sin(angle))
                    target[row * 2 * count + count + i] = Float(cos(angle))
                }
            }
        }
    }
}
