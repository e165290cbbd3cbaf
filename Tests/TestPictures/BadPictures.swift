import Foundation
import Pictures

/// Bad versions of photographs that are cut to their field of view.
extension Picture {
    /// All levels times a factor.
    package func lit(_ factor: Double) -> Picture { mapped { _, level in level * factor } }

    /// Levels inside the field of view that are mixed with one grey.
    package func hazed(_ share: Double, inside view: FieldOfView) -> Picture {
        mapped { pixel, level in isInside(pixel, view) ? (1 - share) * level + share * 80 : level }
    }

    /// With even noise of this deviation inside the field of view.
    package func noisy(_ deviation: Double, inside view: FieldOfView) -> Picture {
        var draws = Draws(state: 5)
        let width = deviation * 12.0.squareRoot()
        return mapped { pixel, level in isInside(pixel, view) ? level + width * (draws.unit() - 0.5) : level }
    }

    /// One part of the columns is set to a colour.
    package func covered(_ columns: Range<Int>, with colour: SIMD3<UInt8>) -> Picture {
        var result = self
        for y in 0..<height { for x in columns { result[x, y] = colour } }
        return result
    }

    /// Blurred with a Gaussian, over the field of view alone.
    package func blurred(sigma: Double, inside view: FieldOfView) -> Picture {
        let reach = Int((3 * sigma).rounded(.up))
        let weights = (-reach...reach).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
        let inside = (0..<width * height).map { isInside($0, view) }
        func along(_ plane: [Double], _ step: Int, _ place: (Int) -> Int, _ length: Int) -> [Double] {
            plane.indices.map { i in
                let at = place(i)
                var sum = 0.0
                for k in max(-reach, -at)...min(reach, length - 1 - at) {
                    sum += weights[k + reach] * plane[i + k * step]
                }
                return sum
            }
        }
        func blur(_ plane: [Double]) -> [Double] {
            along(along(plane, 1, { $0 % width }, width), width, { $0 / width }, height)
        }
        let cover = blur(inside.map { $0 ? 1 : 0 })
        var result = self
        for channel in 0..<3 {
            let plane = blur(inside.indices.map { inside[$0] ? Double(pixels[3 * $0 + channel]) : 0 })
            for i in inside.indices where inside[i] {
                result.pixels[3 * i + channel] = UInt8(min(255, (plane[i] / cover[i]).rounded()))
            }
        }
        return result
    }

    private func isInside(_ pixel: Int, _ view: FieldOfView) -> Bool {
        view.signedDistance(x: Float(pixel % width) + 0.5, y: Float(pixel / width) + 0.5) > 0
    }

    private func mapped(_ change: (Int, Double) -> Double) -> Picture {
        var result = self
        for i in pixels.indices {
            result.pixels[i] = UInt8(min(255, max(0, change(i / 3, Double(pixels[i])).rounded())))
        }
        return result
    }
}
