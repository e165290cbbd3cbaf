import Foundation

/// The outline of a lit region: where each row and each column enters and leaves it.
struct Outline {
    /// The first and the last point of a column that belong to the region, as coordinates.
    struct Column {
        var x: Double
        var top: Double
        var bottom: Double
    }

    /// Edge points in continuous pixel coordinates. Points at the frame are left out, because there the frame ends the
    /// disc.
    private(set) var points: [SIMD2<Double>] = []
    private(set) var columns: [Column] = []

    /// - Parameter mask: the region, [height, width].
    init(_ distance: SurroundDistance, mask: [Bool]) {
        let width = distance.width, height = distance.height
        /// How far the rim lies from the centre of the pixel `outside` the region, in pixels towards `step` (an offset
        /// of pixels). The threshold finds the region, but it lies at the foot of the blurred edge. The rim is where
        /// the edge has half the height that it reaches four pixels further in.
        func rim(outside: Int, step: Int) -> Double {
            let farIn = outside + 5 * step
            guard farIn >= 0, farIn < distance.values.count else { return 0.5 }
            let half = max(distance.threshold, distance.values[farIn] / 2)
            for i in 0..<5 {
                let low = distance.values[outside + i * step], high = distance.values[outside + (i + 1) * step]
                if low < half, high >= half { return Double(i) + Double((half - low) / (high - low)) }
            }
            return 0.5
        }
        for y in 0..<height {
            let row = y * width
            guard let first = (0..<width).first(where: { mask[row + $0] }),
                let last = (0..<width).last(where: { mask[row + $0] })
            else { continue }
            // Pixel centres lie at + 0.5.
            if first > 1 {
                points.append([Double(first) - 0.5 + rim(outside: row + first - 1, step: 1), Double(y) + 0.5])
            }
            if last < width - 2 {
                points.append([Double(last) + 1.5 - rim(outside: row + last + 1, step: -1), Double(y) + 0.5])
            }
        }
        for x in 0..<width {
            guard let first = (0..<height).first(where: { mask[$0 * width + x] }),
                let last = (0..<height).last(where: { mask[$0 * width + x] })
            else { continue }
            var column = Column(x: Double(x) + 0.5, top: 0, bottom: Double(height))
            if first > 1 {
                column.top = Double(first) - 0.5 + rim(outside: (first - 1) * width + x, step: width)
                points.append([column.x, column.top])
            }
            if last < height - 2 {
                column.bottom = Double(last) + 1.5 - rim(outside: (last + 1) * width + x, step: -width)
                points.append([column.x, column.bottom])
            }
            columns.append(column)
        }
    }

    /// The share of the circle's 72 sectors that contain a point.
    static func angularCoverage(_ points: [SIMD2<Double>], of circle: Circle) -> Double {
        var sectors = [Bool](repeating: false, count: 72)
        for point in points {
            let angle = atan2(point.y - circle.centerY, point.x - circle.centerX) / .pi + 1  // 0 ... 2
            sectors[min(71, Int(angle * 36))] = true
        }
        return Double(sectors.count { $0 }) / 72
    }

    /// The row where the region ends above or below although the circle goes on; nil if it ends with the circle.
    /// - Parameter side: -1 above the centre, 1 below.
    func straightEdge(_ edge: KeyPath<Column, Double>, of circle: Circle, side: Double) -> Double? {
        let middle = columns.filter { abs($0.x - circle.centerX) <= 0.3 * circle.radius }
        guard middle.count >= 5 else { return nil }
        let ends = middle.map { $0[keyPath: edge] }.sorted()
        let missing = middle.map { column in
            let dx = column.x - circle.centerX
            let rim = circle.centerY + side * (circle.radius * circle.radius - dx * dx).squareRoot()
            return side * (rim - column[keyPath: edge])
        }.sorted()
        guard missing[missing.count / 2] > 0.02 * circle.radius else { return nil }
        return ends[ends.count / 2]
    }
}
