import Foundation
import Pictures
import TensorCore

/// The exhaustive search: it compares every pose of a probe with the whole gallery at low resolution, by inner
/// products.
struct Shortlist {
    struct Candidate {
        let index: Int
        /// Inner product of the normalised vectors, -1 to 1.
        let product: Float
        let mirrored: Bool
        let pose: Similarity
    }

    private static let rowsAtOnce = 256
    static let length = 2 * PoseGrid.cells.count
    /// The gallery's fields as unit vectors.
    private let products: RowProducts

    /// - Parameter rows: the vectors that `write` makes of the fields, one after another, [count, length].
    init(_ rows: [Float], count: Int) {
        products = RowProducts(rows, count: count, length: Self.length)
    }

    /// Writes the unit vector of a field. [length]
    static func write(_ field: VesselField, to row: UnsafeMutablePointer<Float>) {
        let views = Views(coarse(FieldLevel(field)))
        views.turn(PoseGrid.Step(rotation: 0, scale: 1, shifts: []))
        views.write(SIMD2(0, 0), to: row)
    }

    /// A field reduced to 32 x 32 cells and smoothed.
    static func coarse(_ level: FieldLevel) -> FieldLevel { level.halved.halved.smoothed }

    /// The gallery's fields that are nearest to a probe, best first, each with its best pose.
    /// - Parameters:
    ///   - coarse: the probe's coarse level.
    ///   - steps: the poses that are tried.
    func candidates(for coarse: FieldLevel, count: Int, _ steps: [PoseGrid.Step], isAllowed: (Int) -> Bool)
        -> [Candidate]
    {
        let gallery = products.count
        var best = [Float](repeating: -.infinity, count: gallery), poses = [Int](repeating: 0, count: gallery)
        var rows = [Float](repeating: 0, count: Self.rowsAtOnce * Self.length)
        var answers = [Float](repeating: 0, count: Self.rowsAtOnce * gallery)
        var first = 0
        rows.withUnsafeMutableBufferPointer { rows in
            answers.withUnsafeMutableBufferPointer { answers in
                let rows = rows.baseAddress.unsafelyUnwrapped, answers = answers.baseAddress.unsafelyUnwrapped
                var filled = 0
                func flush() {
                    if filled == 0 { return }
                    products.multiply(rows, rows: filled, into: answers)
                    for row in 0..<filled {
                        for index in 0..<gallery where answers[row * gallery + index] > best[index] {
                            best[index] = answers[row * gallery + index]
                            poses[index] = first + row
                        }
                    }
                    first += filled
                    filled = 0
                }
                for field in [coarse, coarse.mirrored] {
                    let views = Views(field)
                    for step in steps {
                        views.turn(step)
                        for shift in step.shifts {
                            views.write(shift, to: rows + filled * Self.length)
                            filled += 1
                            if filled == Self.rowsAtOnce { flush() }
                        }
                    }
                }
                flush()
            }
        }
        let order = (0..<gallery).filter(isAllowed).sorted { (best[$0], $1) > (best[$1], $0) }
        return order.prefix(count).map { index in
            let (mirrored, pose) = Self.pose(poses[index], steps)
            return Candidate(index: index, product: best[index], mirrored: mirrored, pose: pose)
        }
    }

    /// The pose that has this number in the search.
    private static func pose(_ number: Int, _ steps: [PoseGrid.Step]) -> (mirrored: Bool, pose: Similarity) {
        let each = steps.reduce(0) { $0 + $1.shifts.count }
        var left = number % each
        for step in steps {
            if left < step.shifts.count {
                let x = Double(step.shifts[left].x) / Double(PoseGrid.side),
                    y = Double(step.shifts[left].y) / Double(PoseGrid.side)
                let c = cos(step.rotation) * step.scale, s = sin(step.rotation) * step.scale
                return (
                    number >= each,
                    Similarity(rotation: step.rotation, scale: step.scale, shiftX: c * x - s * y, shiftY: s * x + c * y)
                )
            }
            left -= step.shifts.count
        }
        fatalError("Shortlist: pose \(number) of \(2 * each)")
    }
}

/// A coarse field in all poses, with one rotation at a time.
private final class Views {
    private let field: FieldLevel
    private var turned: [SIMD2<Float>]
    /// The squared length of the whole field. It keeps a pose that shows little of the field from being scaled up.
    private let power: Float

    init(_ field: FieldLevel) {
        self.field = field
        let wide = PoseGrid.side + 2 * PoseGrid.margin
        turned = [SIMD2<Float>](repeating: SIMD2(), count: wide * wide)
        power = field.cells.reduce(0) { $0 + $1.x * $1.x + $1.y * $1.y }
    }

    func turn(_ step: PoseGrid.Step) {
        turned.withUnsafeMutableBufferPointer { field.turned(step, into: $0.baseAddress.unsafelyUnwrapped) }
    }

    /// The current rotation, shifted, as a unit vector (shorter if it shows little of the field). [2 cells]
    func write(_ shift: SIMD2<Int>, to row: UnsafeMutablePointer<Float>) {
        let wide = PoseGrid.side + 2 * PoseGrid.margin
        let offset = (shift.y + PoseGrid.margin) * wide + shift.x + PoseGrid.margin
        let cells = PoseGrid.offsets
        turned.withUnsafeBufferPointer { turned in
            cells.withUnsafeBufferPointer { cells in
                var sum = SIMD2<Float>()
                for i in 0..<cells.count {
                    let value = turned[offset + cells[i]]
                    sum += value * value
                    row[2 * i] = value.x
                    row[2 * i + 1] = value.y
                }
                let scale = 1 / max(max(sum.x + sum.y, 0.4 * power), 1e-12).squareRoot()
                for i in 0..<2 * cells.count { row[i] *= scale }
            }
        }
    }
}

extension PoseGrid {
    /// Where the compared cells are in a grid with its margin.
    fileprivate static let offsets = cells.map { $0.y * (side + 2 * margin) + $0.x }
}
