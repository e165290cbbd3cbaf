import Pictures
import Foundation
import Randomness
import TensorCore

/// Maps a point of a view to a point of its picture, by mirroring, turning, scaling and shifting.
struct ViewPose {
    let xx: Float, xy: Float, yx: Float, yy: Float
    /// The shift in shares of the side.
    let shiftX: Float, shiftY: Float

    /// - Parameters:
    ///   - angle: the angle in radians.
    ///   - scale: above 1, the view shows more than the picture.
    init(mirrored: Bool = false, angle: Double = 0, scale: Double = 1, shiftX: Double = 0, shiftY: Double = 0) {
        let mirror = mirrored ? -1.0 : 1.0
        xx = Float(mirror * scale * cos(angle))
        xy = Float(-mirror * scale * sin(angle))
        yx = Float(scale * sin(angle))
        yy = Float(scale * cos(angle))
        self.shiftX = Float(shiftX)
        self.shiftY = Float(shiftY)
    }

    /// A random pose. Half of the poses are mirrored. At `strength` 1, they are turned by up to 17.5 degrees, scaled by
    /// 0.82 to 1.22, and shifted by up to 5.6 % of the side.
    init(_ random: inout Philox, strength: Double) {
        func symmetric(_ bound: Double, _ random: inout Philox) -> Double {
            (2 * random.nextUniform() - 1) * bound * strength
        }
        let mirrored = random.nextUniform() < 0.5, angle = symmetric(17.5 * .pi / 180, &random),
            scale = exp(symmetric(0.2, &random))
        let shiftX = symmetric(0.056, &random)
        self.init(mirrored: mirrored, angle: angle, scale: scale, shiftX: shiftX, shiftY: symmetric(0.056, &random))
    }
}

extension FloatPicture {
    /// The picture seen through `pose`.
    func seen(through pose: ViewPose) -> FloatPicture {
        var result = FloatPicture(side: side, pixels: [Float](repeating: 0, count: pixels.count))
        result.add(self, pose, weight: 1)
        return result
    }

    /// Adds `weight` times `source` seen through `pose`, with bilinear interpolation. Beyond its borders, `source` is
    /// black.
    mutating func add(_ source: FloatPicture, _ pose: ViewPose, weight: Float) {
        let side = self.side, last = Float(side - 1), center = last / 2
        let offsetX = center + pose.shiftX * Float(side), offsetY = center + pose.shiftY * Float(side)
        source.pixels.withUnsafeBufferPointer { source in
            pixels.withUnsafeMutableBufferPointer { target in
                for y in 0..<side {
                    for x in 0..<side {
                        let dx = Float(x) - center, dy = Float(y) - center
                        let fromX = pose.xx * dx + pose.xy * dy + offsetX, fromY = pose.yx * dx + pose.yy * dy + offsetY
                        guard fromX >= 0, fromY >= 0, fromX <= last, fromY <= last else { continue }
                        let left = min(side - 2, Int(fromX)), top = min(side - 2, Int(fromY))
                        let fx = fromX - Float(left), fy = fromY - Float(top)
                        let upper = 3 * (top * side + left), lower = upper + 3 * side, at = 3 * (y * side + x)
                        for channel in 0..<3 {
                            let above = source[upper + channel] * (1 - fx) + source[upper + 3 + channel] * fx
                            let below = source[lower + channel] * (1 - fx) + source[lower + 3 + channel] * fx
                            target[at + channel] += weight * (above * (1 - fy) + below * fy)
                        }
                    }
                }
            }
        }
    }
}
