import Foundation

/// A circle in continuous pixel coordinates: (0, 0) is the upper left corner of the first pixel.
struct Circle: Hashable, Sendable {
    var centerX: Double
    var centerY: Double
    var radius: Double

    /// How far `point` lies outside the circle in pixels; negative inside.
    func distance(to point: SIMD2<Double>) -> Double {
        let dx = point.x - centerX, dy = point.y - centerY
        return (dx * dx + dy * dy).squareRoot() - radius
    }
}

/// Fits a circle to edge points. Many points may be wrong: the straight edges of a disc that is cut off, a notch, a
/// letter.
enum CircleFit {
    /// The best circle, and the points within the tolerance of it.
    struct Result {
        var circle: Circle
        var inliers: [SIMD2<Double>]
    }

    /// Random sample consensus over circles through three points, then least squares on the points that agree.
    ///
    /// The draws come from a fixed generator, so that the same points give the same circle.
    /// - Parameters:
    ///   - radii: the radii that are possible, in pixels.
    ///   - tolerance: how far an edge point may lie from the circle, as a share of the radius.
    /// - Returns: nil if there are too few points, or if they do not fit a circle of a possible radius.
    static func consensus(_ points: [SIMD2<Double>], radii: ClosedRange<Double>, tolerance: Double = 0.012) -> Result? {
        guard points.count >= 12 else { return nil }
        var generator = SplitMix(state: 0x5EED)
        var best: (circle: Circle, count: Int)?
        for _ in 0..<600 {
            let three = (0..<3).map { _ in points[Int(generator.next() % UInt64(points.count))] }
            guard let circle = through(three[0], three[1], three[2]), radii.contains(circle.radius) else { continue }
            let count = points.count { abs(circle.distance(to: $0)) <= tolerance * circle.radius }
            if count > best?.count ?? 0 { best = (circle, count) }
        }
        guard var circle = best?.circle else { return nil }
        var inliers: [SIMD2<Double>] = []
        for round in 0..<8 {
            // The tolerance shrinks to a third, so that only the rim itself remains.
            let limit = tolerance * circle.radius * max(1.0 / 3, 1 - Double(round) / 6)
            inliers = points.filter { abs(circle.distance(to: $0)) <= limit }
            guard let refined = leastSquares(inliers, from: circle), radii.contains(refined.radius) else { return nil }
            circle = refined
        }
        inliers = points.filter { abs(circle.distance(to: $0)) <= tolerance * circle.radius }
        return Result(circle: circle, inliers: inliers)
    }

    /// The circle through three points; nil if they lie on a line.
    static func through(_ a: SIMD2<Double>, _ b: SIMD2<Double>, _ c: SIMD2<Double>) -> Circle? {
        let u = b - a, v = c - a
        let cross = 2 * (u.x * v.y - u.y * v.x)
        guard abs(cross) > 1e-6 else { return nil }
        let uu = u.x * u.x + u.y * u.y, vv = v.x * v.x + v.y * v.y
        let x = (v.y * uu - u.y * vv) / cross, y = (u.x * vv - v.x * uu) / cross
        return Circle(centerX: a.x + x, centerY: a.y + y, radius: (x * x + y * y).squareRoot())
    }

    /// One Gauss-Newton step on the geometric distances.
    private static func leastSquares(_ points: [SIMD2<Double>], from circle: Circle) -> Circle? {
        guard points.count >= 8 else { return nil }
        // Normal equations of the rows (-(x - cx)/d, -(y - cy)/d, -1) . step = -(d - r).
        var m = [Double](repeating: 0, count: 9), rhs = [Double](repeating: 0, count: 3)
        for point in points {
            let dx = point.x - circle.centerX, dy = point.y - circle.centerY
            let distance = max(1e-9, (dx * dx + dy * dy).squareRoot())
            let row = [dx / distance, dy / distance, 1]
            let residual = distance - circle.radius
            for i in 0..<3 {
                rhs[i] += row[i] * residual
                for j in 0..<3 { m[3 * i + j] += row[i] * row[j] }
            }
        }
        let determinant = det(m)
        guard abs(determinant) > 1e-9 * Double(points.count) else { return nil }
        let step = (0..<3).map { column in
            var replaced = m
            for i in 0..<3 { replaced[3 * i + column] = rhs[i] }
            return det(replaced) / determinant
        }
        return Circle(
            centerX: circle.centerX + step[0], centerY: circle.centerY + step[1], radius: circle.radius + step[2])
    }

    private static func det(_ m: [Double]) -> Double {
        m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6])
    }
}

/// SplitMix64 (Steele et al. 2014), which is good enough to draw triples of points.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
