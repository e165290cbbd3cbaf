import Foundation
import TensorCore

/// Sinusoidal embedding (Ho et al. 2020; diffusers' `Timesteps` with `flip_sin_to_cos`, no frequency shift) and the two
/// linear layers behind it.
struct TimestepEmbedding: Sendable {
    private let linear1: Linear, linear2: Linear
    private let width: Int

    init(_ registry: ParameterRegistry, _ path: String, _ configuration: UNetConfiguration) {
        width = configuration.blockOutChannels[0]
        linear1 = Linear(registry, "\(path).linear_1", in: width, out: configuration.embeddingWidth)
        linear2 = Linear(registry, "\(path).linear_2", in: configuration.embeddingWidth, out: configuration.embeddingWidth)
    }

    /// [N] -> [N, embeddingWidth]
    func callAsFunction(_ timesteps: [Float], _ parameters: BoundParameters) -> Variable {
        let embedded = linear1(Variable(TimestepEmbedding.sinusoid(timesteps, width: width)), parameters)
        return linear2(embedded.silu(), parameters)
    }

    /// [N, width]: cosines, then sines, of t / 10000^(i / (width / 2)).
    static func sinusoid(_ timesteps: [Float], width: Int) -> Tensor {
        let half = width / 2
        return Tensor(shape: [timesteps.count, width]) { target in
            for (row, timestep) in timesteps.enumerated() {
                for i in 0..<half {
                    let angle = Double(timestep) * exp(-log(10000) * Double(i) / Double(half))
                    target[row * width + i] = Float(cos(angle))
                    target[row * width + half + i] = Float(sin(angle))
                }
            }
        }
    }
}
