import Foundation
import Pictures

/// A photograph drawn with a known field of view.
package struct SyntheticDisc {
    package var width = 640
    package var height = 480
    package var centerX = 320.0
    package var centerY = 240.0
    package var radius = 200.0
    /// Red of the middle; green and blue are a half and a fifth of it.
    package var brightness = 200.0
    package var surround = SIMD3<Double>(2, 2, 2)
    /// Largest deviation of the noise, in levels.
    package var noise = 1.0
    /// Rows beyond which the disc is black although the frame goes on.
    package var top = -1.0e9
    package var bottom = 1.0e9
    package var hasLetter = false
    /// Draws vessels that belong to this eye; nil draws none.
    package var eye: UInt64?
    /// Added to every pixel of the disc.
    package var shift = 0.0

    package init(
        width: Int = 640, height: Int = 480, centerX: Double = 320.0, centerY: Double = 240.0, radius: Double = 200.0,
        brightness: Double = 200.0, surround: SIMD3<Double> = SIMD3<Double>(2, 2, 2), noise: Double = 1.0,
        top: Double = -1.0e9, bottom: Double = 1.0e9, hasLetter: Bool = false, eye: UInt64? = nil, shift: Double = 0.0
    ) {
        self.width = width
        self.height = height
        self.centerX = centerX
        self.centerY = centerY
        self.radius = radius
        self.brightness = brightness
        self.surround = surround
        self.noise = noise
        self.top = top
        self.bottom = bottom
        self.hasLetter = hasLetter
        self.eye = eye
        self.shift = shift
    }

    package var picture: Picture {
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
package struct Draws {
    package var state: UInt64

    package init(state: UInt64) { self.state = state &* 0x9E37_79B9_7F4A_7C15 | 1 }

    /// 0 up to 1.
    package mutating func unit() -> Double {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Double((state &* 0x2545_F491_4F6C_DD1D) >> 11) / Double(UInt64(1) << 53)
    }
}
