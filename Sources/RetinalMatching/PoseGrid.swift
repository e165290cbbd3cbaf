import Foundation

/// The poses that the exhaustive search tries: any rotation with small shifts, and nearly upright poses with any shift
/// (the gaze of another visit).
enum PoseGrid {
    /// The number of cells along the picture's side.
    static let side = 32
    /// Only cells whose centre is nearer to the middle than this are compared, in cells.
    static let radius = 14.5
    /// How far shifts reach beyond the sides of the grid, in cells.
    static let margin = 11

    /// One rotation and scale, and the shifts that are tried with it.
    struct Step: Sendable {
        /// In radians.
        let rotation: Double
        let scale: Double
        /// In whole cells, in the coordinates of the gallery.
        let shifts: [SIMD2<Int>]
    }

    static let steps: [Step] = {
        let near = shifts { $0 <= 4.6 }, far = shifts { $0 > 4.6 && $0 <= 11 }
        let turns = 72
        var steps: [Step] = []
        for scale in [0.88, 1, 1.13] {
            for turn in 0..<turns {
                let isUpright = min(turn, turns - turn) <= 2
                steps.append(
                    Step(
                        rotation: Double(turn) * 2 * .pi / Double(turns), scale: scale,
                        shifts: isUpright ? near + far : near))
            }
        }
        return steps
    }()

    /// Rotations of up to 15 degrees, by which the head's position may differ between two visits. About a quarter of
    /// the poses.
    static let uprightSteps = steps.filter { abs($0.rotation.remainder(dividingBy: 2 * .pi)) < 0.27 }

    /// The cells of the picture that are compared, as (column, row) from the grid's corner.
    static let cells: [SIMD2<Int>] = {
        var cells: [SIMD2<Int>] = []
        for y in 0..<side {
            for x in 0..<side {
                let dx = Double(x) + 0.5 - Double(side) / 2, dy = Double(y) + 0.5 - Double(side) / 2
                if dx * dx + dy * dy <= radius * radius { cells.append(SIMD2(x, y)) }
            }
        }
        return cells
    }()

    /// Shifts by every second cell whose length is wanted.
    private static func shifts(_ isWanted: (Double) -> Bool) -> [SIMD2<Int>] {
        var shifts: [SIMD2<Int>] = []
        for y in stride(from: -10, through: 10, by: 2) {
            for x in stride(from: -10, through: 10, by: 2) where isWanted(Double(x * x + y * y).squareRoot()) {
                shifts.append(SIMD2(x, y))
            }
        }
        return shifts
    }
}

extension FieldLevel {
    /// The vectors seen through `step` without its shift, on the grid and a margin around it. [side + 2 margin, side +
    /// 2 margin]
    ///
    /// - Precondition: `side` is that of the grid.
    func turned(_ step: PoseGrid.Step, into result: UnsafeMutablePointer<SIMD2<Float>>) {
        let wide = PoseGrid.side + 2 * PoseGrid.margin, half = Float(wide) / 2, center = Float(side) / 2 - 0.5
        let c = Float(cos(step.rotation) * step.scale), s = Float(sin(step.rotation) * step.scale)
        let c2 = Float(cos(2 * step.rotation)), s2 = Float(sin(2 * step.rotation))
        cells.withUnsafeBufferPointer { source in
            for y in 0..<wide {
                let dy = Float(y) + 0.5 - half
                for x in 0..<wide {
                    let dx = Float(x) + 0.5 - half
                    let u = c * dx - s * dy + center, v = s * dx + c * dy + center
                    var value = SIMD4<Float>()
                    if u >= 0, v >= 0, u < Float(side - 1), v < Float(side - 1) {
                        let left = Int(u), top = Int(v), i = top * side + left
                        let fx = u - Float(left), fy = v - Float(top)
                        let upper = source[i] + (source[i + 1] - source[i]) * fx
                        let lower = source[i + side] + (source[i + side + 1] - source[i + side]) * fx
                        value = upper + (lower - upper) * fy
                    }
                    // Multiplied by exp(-2 i rotation).
                    result[y * wide + x] = SIMD2(c2 * value.x + s2 * value.y, c2 * value.y - s2 * value.x)
                }
            }
        }
    }
}
