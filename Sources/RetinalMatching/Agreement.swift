import Foundation
import Pictures

/// How well two fields agree if one is laid over the other.
struct Agreement {
    /// Correlation of the direction vectors, -1 to 1.
    var directions = 0.0
    /// Correlation of the strengths after their means are removed, -1 to 1.
    var strengths = 0.0
    /// The area of the common field of view, relative to that of the smaller field of view.
    var overlap = 0.0

    /// Below this overlap, the score falls.
    static let leastOverlap = 0.35
    /// The share of `directions` in the score.
    static let weight = 0.7

    var score: Double {
        let value = Self.weight * directions + (1 - Self.weight) * strengths
        return overlap >= Self.leastOverlap ? value : value - 2 * (Self.leastOverlap - overlap)
    }
}

extension FieldLevel {
    /// The number of cells inside the field of view.
    var area: Double { cells.reduce(0) { $0 + Double($1.w) } }

    /// How this field agrees with `other` seen through `pose`, which says where a point of this field lies in the
    /// other.
    ///
    /// Sums run over the cells in a fixed order, so that the same fields give the same bits everywhere.
    /// - Parameter area: the smaller of the two fields' areas, in cells.
    func agreement(with other: FieldLevel, _ pose: Similarity, least area: Double) -> Agreement {
        let count = Float(side), half = count / 2
        let c = Float(cos(pose.rotation) * pose.scale), s = Float(sin(pose.rotation) * pose.scale)
        let shiftX = Float(pose.shiftX) * count + half - 0.5, shiftY = Float(pose.shiftY) * count + half - 0.5
        var own = SIMD4<Float>(), others = SIMD4<Float>(), ownSquares = SIMD4<Float>(), otherSquares = SIMD4<Float>()
        var products = SIMD4<Float>(), crossed: Float = 0, common: Float = 0
        let side = self.side, limit = Float(side - 1)
        cells.withUnsafeBufferPointer { cells in
            other.cells.withUnsafeBufferPointer { source in
                for y in 0..<side {
                    let dy = Float(y) + 0.5 - half
                    for x in 0..<side {
                        let a = cells[y * side + x]
                        if a.w < 0.99 { continue }
                        let dx = Float(x) + 0.5 - half
                        let u = c * dx - s * dy + shiftX, v = s * dx + c * dy + shiftY
                        guard u >= 0, v >= 0, u < limit, v < limit else { continue }
                        let left = Int(u), top = Int(v)
                        let fx = u - Float(left), fy = v - Float(top)
                        let i = top * side + left
                        let upper = source[i] + (source[i + 1] - source[i]) * fx
                        let lower = source[i + side] + (source[i + side + 1] - source[i + side]) * fx
                        let b = upper + (lower - upper) * fy
                        if b.w < 0.99 { continue }
                        own += a
                        others += b
                        ownSquares += a * a
                        otherSquares += b * b
                        products += a * b
                        crossed += a.y * b.x - a.x * b.y
                        common += 1
                    }
                }
            }
        }
        guard common > 0 else { return Agreement() }
        // The vectors of the other field are turned back by twice the rotation.
        let turned = Double(products.x + products.y) * cos(2 * pose.rotation) - Double(crossed) * sin(2 * pose.rotation)
        let power = Double(ownSquares.x + ownSquares.y) * Double(otherSquares.x + otherSquares.y)
        let n = Double(common)
        let covariance = Double(products.z) - Double(own.z) * Double(others.z) / n
        let variances =
            (Double(ownSquares.z) - Double(own.z) * Double(own.z) / n)
            * (Double(otherSquares.z) - Double(others.z) * Double(others.z) / n)
        return Agreement(
            directions: power > 0 ? turned / power.squareRoot() : 0,
            strengths: variances > 0 ? covariance / variances.squareRoot() : 0,
            overlap: n / max(1, area))
    }
}
