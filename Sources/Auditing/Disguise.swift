import Foundation
import Pictures
import Randomness
import TensorCore
import Verdicts

extension Disguise {
    /// Disguises a photograph.
    /// - Parameters:
    ///   - partner: the picture that a half-blend mixes in. It must show nobody of the gallery.
    ///   - random: decides directions and strengths.
    /// - Throws: `Failure` where a recompressed picture cannot be encoded or decoded.
    package func applied(to photograph: Picture, partner: Picture, _ random: inout Philox) throws -> Picture {
        let sign = random.nextUniform() < 0.5 ? -1.0 : 1.0
        switch self {
        case .plain: return photograph
        case .flip: return photograph.mirrored
        case .rotation: return photograph.warped(Similarity(rotation: sign * 7 * .pi / 180))
        case .recolour:
            let gamma = pow(1.35, 2 * random.nextUniform() - 1)
            let gains = (0..<3).map { _ in 0.8 + 0.4 * random.nextUniform() }
            return photograph.recoloured(gamma: gamma, gains: gains)
        case .recompression:
            return try Picture(decoding: Array(photograph.jpegData(quality: 50)), name: "recompressed picture")
        case .crop:
            let side = Double(photograph.width), x = random.nextUniform() * 0.1, y = random.nextUniform() * 0.1
            return photograph.resampled(
                x: x * side, y: y * side, width: 0.9 * side, height: 0.9 * side, toWidth: photograph.width,
                height: photograph.height, isBlackBeyond: false)
        case .halfBlend: return photograph.blended(with: partner)
        }
    }
}

extension Picture {
    /// Maps every channel by v -> gain * v^gamma on [0, 1].
    package func recoloured(gamma: Double, gains: [Double]) -> Picture {
        let tables = gains.map { gain in
            (0..<256).map { UInt8((255 * min(1, gain * pow(Double($0) / 255, gamma))).rounded()) }
        }
        var result = self
        for i in result.pixels.indices { result.pixels[i] = tables[i % 3][Int(pixels[i])] }
        return result
    }

    /// The mean of both pictures.
    package func blended(with other: Picture) -> Picture {
        var result = self
        for i in result.pixels.indices { result.pixels[i] = UInt8((Int(pixels[i]) + Int(other.pixels[i]) + 1) / 2) }
        return result
    }
}
