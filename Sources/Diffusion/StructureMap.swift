import Foundation
import TensorCore

/// A map of one kind of structure that a model draws with a picture, as one more plane: 0 where there is none,
/// `contrast` where it is certain.
public enum StructureMap: String, Codable, CaseIterable, Hashable, Sendable {
    /// Blood vessels.
    case vessels

    /// How much a certain structure stands out, where pictures span [-1, 1]. It decides at which noise levels a map is
    /// drawn: a vessel of a photograph stands out by 0.1 to 0.2, so its map is drawn before it, but after the eye.
    public static let contrast: Float = 1.0 / 3

    /// The noise levels, as those on pixels, at which a map is known and at which nothing is known of it.
    package static let known: Float = 0.005, unknown: Float = 640

    /// What the error of the maps counts in the loss beside that of the pictures.
    static let lossShare: Float = 0.5
}

extension Tensor {
    /// [N, H, W, C] -> [N, H, W, depth]: the first planes; those that there are too few of are 0.
    package func withPlanes(_ depth: Int) -> Tensor {
        let own = shape[3]
        if own == depth { return self }
        return withUnsafeBuffer { source in
            Tensor(shape: Array(shape[0..<3]) + [depth]) { target in
                for i in 0..<target.count / depth {
                    for k in 0..<depth { target[depth * i + k] = k < own ? source[own * i + k] : 0 }
                }
            }
        }
    }
}

/// The noise level of structure maps as a network is told of it: sines and cosines of its logarithm.
enum MapLevel {
    /// How many numbers a level becomes.
    static let count = 8

    /// [N, count]
    /// - Parameter levels: [N], deviations of the noise over the contrast of maps.
    static func coefficients(_ levels: [Float]) -> Tensor {
        Tensor(
            levels.flatMap { level in
                [Float](arrayLiteral: 1, 2, 4, 8).flatMap { octave in
                    let angle = octave * Float.pi / 12 * log(level)
                    return [cos(angle), sin(angle)]
                }
            }, shape: [levels.count, count])
    }
}
