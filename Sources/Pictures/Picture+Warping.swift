import Foundation

/// A similarity transform about the picture's centre. It says where a point of the target lies in the source.
package struct Similarity: Hashable, Sendable {
    /// In radians.
    package var rotation = 0.0
    package var scale = 1.0
    /// As shares of the picture's side.
    package var shiftX = 0.0
    package var shiftY = 0.0

    package init(rotation: Double = 0, scale: Double = 1, shiftX: Double = 0, shiftY: Double = 0) {
        self.rotation = rotation
        self.scale = scale
        self.shiftX = shiftX
        self.shiftY = shiftY
    }
}

extension Picture {
    /// The picture with left and right exchanged.
    package var mirrored: Picture {
        var result = self
        for y in 0..<height {
            for x in 0..<width { result[x, y] = self[width - 1 - x, y] }
        }
        return result
    }

    /// The picture seen through `pose`, interpolated bilinearly; black beyond its borders.
    package func warped(_ pose: Similarity) -> Picture {
        var result = Picture(width: width, height: height)
        let cosine = cos(pose.rotation) * pose.scale, sine = sin(pose.rotation) * pose.scale
        let centerX = Double(width) / 2, centerY = Double(height) / 2
        for y in 0..<height {
            for x in 0..<width {
                let dx = Double(x) + 0.5 - centerX, dy = Double(y) + 0.5 - centerY
                let sourceX = cosine * dx - sine * dy + centerX + pose.shiftX * Double(width) - 0.5
                let sourceY = sine * dx + cosine * dy + centerY + pose.shiftY * Double(height) - 0.5
                result[x, y] = bilinear(sourceX, sourceY)
            }
        }
        return result
    }

    private func bilinear(_ x: Double, _ y: Double) -> SIMD3<UInt8> {
        let left = Int(x.rounded(.down)), top = Int(y.rounded(.down))
        guard left >= -1, top >= -1, left < width, top < height else { return SIMD3(0, 0, 0) }
        let fx = x - Double(left), fy = y - Double(top)
        func at(_ x: Int, _ y: Int) -> SIMD3<Double> {
            x < 0 || y < 0 || x >= width || y >= height ? SIMD3(repeating: 0) : SIMD3<Double>(self[x, y])
        }
        let upper = at(left, top) * (1 - fx) + at(left + 1, top) * fx
        let lower = at(left, top + 1) * (1 - fx) + at(left + 1, top + 1) * fx
        let value = (upper * (1 - fy) + lower * fy).rounded(.toNearestOrAwayFromZero)
        return SIMD3<UInt8>(truncatingIfNeeded: SIMD3<Int>(value))
    }
}
