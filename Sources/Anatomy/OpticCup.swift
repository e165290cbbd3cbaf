/// The optic cup: the brighter part of the disc, as a circle after the disc's outline is made a circle.
///
/// The light inside the disc is described as a plane and a step that falls from 1 to 0 over `softness`. For each
/// circle of a grid, the plane and the step's height follow by least squares, and the circle with the least error is
/// taken.
enum OpticCup {
    private static let softness: Float = 0.34
    /// The part of the disc that is compared, as a share of its radius.
    private static let reach: Float = 0.9

    /// The cup in the frame in which the disc is the circle of radius 1 about 0.
    struct Circle {
        /// The cup's vertical diameter divided by that of the disc, 0.1 to 0.9.
        let ratio: Float
        let center: SIMD2<Float>

        /// Whether a pixel of the scene lies in the cup.
        func contains(_ point: SIMD2<Float>, in disc: DiscOutline) -> Bool {
            let d = point - disc.center, distance = max((d * d).sum().squareRoot(), 1e-3)
            let offset = d / distance * disc.level(point) - center
            return (offset * offset).sum() < ratio * ratio
        }
    }

    /// The cup; nil where no circle is brighter.
    /// - Parameter light: [side, side], without vessels.
    static func circle(_ outline: DiscOutline, light: [Float], vessel: [Float]) -> Circle? {
        let side = EyeScene.side, reach = Int(outline.terms.x * 1.3) + 1
        var points: [SIMD2<Float>] = [], values: [Float] = [], weights: [Float] = []
        let left = Int(outline.center.x), top = Int(outline.center.y)
        for y in max(0, top - reach)...max(0, min(side - 1, top + reach)) {
            for x in max(0, left - reach)...max(0, min(side - 1, left + reach)) {
                let point = SIMD2(Float(x) + 0.5, Float(y) + 0.5), level = outline.level(point)
                guard level < Self.reach else { continue }
                let d = point - outline.center, distance = max((d * d).sum().squareRoot(), 1e-3)
                points.append(d / distance * level)
                values.append(light[y * side + x])
                weights.append(1 - 0.8 * vessel[y * side + x])
            }
        }
        guard points.count > 30 else { return nil }
        let total = weights.reduce(0, +), mean = zip(weights, values).reduce(0) { $0 + $1.0 * $1.1 } / total
        var best: Circle?, least = Float.infinity
        func search(_ sizes: [Float], _ xs: [Float], _ ys: [Float]) {
            for size in sizes {
                for x in xs {
                    for y in ys where abs(x) < 1 - 0.8 * size {
                        let center = SIMD2(x, y)
                        let fit = Step(points, values, weights, center: center, size: size, softness: softness)
                        guard let fit, fit.height > 0.01 * mean, fit.error < least else { continue }
                        (least, best) = (fit.error, Circle(ratio: size, center: center))
                    }
                }
            }
        }
        search(
            Array(stride(from: 0.16, through: 0.84, by: 0.085)), [-0.3, -0.18, -0.06, 0.06, 0.18, 0.3],
            [-0.12, 0, 0.12])
        if let rough = best {
            search(
                [-0.06, -0.03, 0, 0.03, 0.06].map { rough.ratio + $0 },
                [-0.06, 0, 0.06].map { rough.center.x + $0 }, [-0.06, 0, 0.06].map { rough.center.y + $0 })
        }
        return best
    }
}

/// A plane and a step, fitted to the light in a disc.
private struct Step {
    let height: Float
    /// The sum of squared residuals.
    let error: Float

    init?(
        _ points: [SIMD2<Float>], _ values: [Float], _ weights: [Float], center: SIMD2<Float>, size: Float,
        softness: Float
    ) {
        // The symmetric normal equations of (1, x, y, step), and of the values.
        var sums = [SIMD8<Float>](repeating: SIMD8(), count: 4)
        var power: Float = 0
        for k in points.indices {
            let d = points[k] - center
            let t = min(max((size - (d * d).sum().squareRoot()) / softness + 0.5, 0), 1)
            let row = SIMD4(1, points[k].x, points[k].y, t * t * (3 - 2 * t)), weighted = row * weights[k]
            let all = SIMD8(lowHalf: row, highHalf: SIMD4(values[k], 0, 0, 0))
            for i in 0..<4 { sums[i] += all * weighted[i] }
            power += weights[k] * values[k] * values[k]
        }
        // Elimination in order: the matrix is positive.
        var system = sums
        let right = sums.map { $0[4] }
        for i in 0..<4 {
            guard system[i][i] > 1e-3 else { return nil }
            for row in 0..<4 where row != i { system[row] -= system[i] * (system[row][i] / system[i][i]) }
        }
        let solution = (0..<4).map { system[$0][4] / system[$0][$0] }
        height = solution[3]
        error = power - zip(solution, right).reduce(0) { $0 + $1.0 * $1.1 }
    }
}
