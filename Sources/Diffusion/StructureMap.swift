import Foundation
import TensorCore

/// A map of one kind of structure that a model draws with a picture, as one more plane. The map is 0 where there is no
/// such structure and `contrast` where the structure is certain.
public enum StructureMap: String, Codable, CaseIterable, Hashable, Sendable {
    /// Blood vessels.
    case vessels

    /// The value of a certain structure in a map, where pictures span [-1, 1]. It decides at which noise levels a map
    /// is drawn. A vessel stands out by 0.1 to 0.2 in a photograph, so the map is drawn before the vessel, but after
    /// the eye.
    public static let contrast: Float = 1.0 / 3

    /// The noise levels, as deviations on pixels, at which a map counts as known, and as unknown.
    package static let known: Float = 0.005, unknown: Float = 640

    /// The weight of the maps' error in the loss, where that of the pictures is 1.
    static let lossShare: Float = 0.5
}

extension Tensor {
    /// [N, H, W, C] -> [N, H, W, depth]: the first `depth` planes, filled up with planes of 0.
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

/// The encoding of the structure maps' noise level for the network: cosines and sines of its logarithm.
enum MapLevel {
    /// The number of values that encode one level.
    static let count = 8

    /// The encodings of noise levels, [N, count].
    /// - Parameter levels: [N], deviations of the noise divided by the contrast of maps.
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
