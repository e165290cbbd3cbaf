import Foundation
import FundusData
import Pictures

/// A photograph drawn with a known field of view.
struct SyntheticDisc {
    var width = 640
    var height = 480
    var centerX = 320.0
    var centerY = 240.0
    var radius = 200.0
    /// Red of the middle; green and blue are a half and a fifth of it.
    var brightness = 200.0
    var surround = SIMD3<Double>(2, 2, 2)
    /// Largest deviation of the noise, in levels.
    var noise = 1.0
    /// Rows beyond which the disc is black although the frame goes on.
    var top = -1.0e9
    var bottom = 1.0e9
    var hasLetter = false
    /// Draws vessels that belong to this eye; nil draws none.
    var eye: UInt64?
    /// Added to every pixel of the disc.
    var shift = 0.0

    var picture: Picture {
        var generator = Draws(state: 7)
        var eyeGenerator = Draws(state: eye ?? 0)
        // Wavy lines: (offset across, slope, phase, darkness).
        let vessels =
            eye == nil
            ? []
            : (0..<24).map { _ in
                (
                    eyeGenerator.unit() * 2 - 1, eyeGenerator.unit() * 3 - 1.5, eyeGenerator.unit() * 6,
                    0.2 + 0.3 * eyeGenerator.unit()
                )
            }
        var result = Picture(width: width, height: height)
        for y in 0..<height {
            for x in 0..<width {
                let dx = (Double(x) + 0.5 - centerX) / radius, dy = (Double(y) + 0.5 - centerY) / radius
                let distance = (dx * dx + dy * dy).squareRoot()
                // The share of the pixel inside the disc, over an edge of one pixel.
                var inside = min(1, max(0, (1 - distance) * radius + 0.5))
                if Double(y) + 0.5 < top || Double(y) + 0.5 > bottom { inside = 0 }
                var light = brightness * (1 - 0.35 * distance * distance) + shift
                for vessel in vessels {
                    let across = dx - vessel.0 - vessel.1 * dy - 0.1 * sin(6 * dy + vessel.2)
                    light *= 1 - vessel.3 * exp(-across * across / 0.0006)
                }
                var colour = SIMD3(light, light / 2, light / 5) * inside + surround * (1 - inside)
                if hasLetter, (8..<40).contains(x), (8..<40).contains(y), (x / 6 + y / 9) % 2 == 0 {
                    colour = [250, 250, 250]
                }
                for c in 0..<3 { colour[c] += noise * (2 * generator.unit() - 1) }
                result[x, y] = SIMD3<UInt8>(
                    UInt8(min(255, max(0, colour.x.rounded()))), UInt8(min(255, max(0, colour.y.rounded()))),
                    UInt8(min(255, max(0, colour.z.rounded()))))
            }
        }
        return result
    }
}

/// A small generator (xorshift64*), so that the drawings are the same everywhere.
struct Draws {
    var state: UInt64

    init(state: UInt64) { self.state = state &* 0x9E37_79B9_7F4A_7C15 | 1 }

    /// 0 up to 1.
    mutating func unit() -> Double {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Double((state &* 0x2545_F491_4F6C_DD1D) >> 11) / Double(UInt64(1) << 53)
    }
}
