import Foundation

/// The weights that turn one line of source pixels into one line of target pixels.
///
/// Shrinking uses a Hamming-windowed sinc of one lobe, widened to the scale. It is sharper than an area average, and it
/// is never negative, so that no ring appears where the black surround meets the field of view. Enlarging is linear.
struct Resampling {
    /// The first source pixel of each target pixel.
    let starts: [Int]
    /// The number of weights for each target pixel. Unused weights at the end are 0.
    let taps: Int
    /// [target pixel, tap]. The weights of a target pixel sum to 1 (or to the covered share with `isBlackBeyond`).
    let weights: [Float]

    /// - Parameters:
    ///   - from, to: the part of the source that becomes the line, in source pixels (0 is the left edge of the first
    ///     pixel).
    ///   - isBlackBeyond: whether the source counts as 0 beyond its ends. Otherwise nothing beyond its ends counts.
    init(sourceCount: Int, from: Double, to: Double, targetCount: Int, isBlackBeyond: Bool = false) {
        let scale = (to - from) / Double(targetCount)
        let stretch = max(scale, 1)
        var starts: [Int] = [], rows: [[Double]] = []
        for target in 0..<targetCount {
            let center = from + (Double(target) + 0.5) * scale
            let first = Int((center - stretch).rounded(.down)), last = Int((center + stretch).rounded(.up))
            let all = (first...last).map {
                Resampling.kernel((Double($0) + 0.5 - center) / stretch, isShrinking: scale > 1)
            }
            let kept = max(first, 0)..<max(max(first, 0), min(last + 1, sourceCount))
            let inside = kept.map { all[$0 - first] }
            let total = isBlackBeyond ? all.reduce(0, +) : inside.reduce(0, +)
            starts.append(kept.isEmpty ? 0 : kept.lowerBound)
            rows.append(total > 0 ? inside.map { $0 / total } : [])
        }
        self.starts = starts
        let taps = max(1, rows.map(\.count).max() ?? 1)
        self.taps = taps
        weights = rows.flatMap { row in row.map { Float($0) } + [Float](repeating: 0, count: taps - row.count) }
    }

    /// Both kernels are 0 from one lobe on.
    private static func kernel(_ x: Double, isShrinking: Bool) -> Double {
        let x = abs(x)
        if x >= 1 { return 0 }
        if !isShrinking { return 1 - x }
        if x == 0 { return 1 }
        return sin(.pi * x) / (.pi * x) * (0.54 + 0.46 * cos(.pi * x))
    }
}

extension Picture {
    /// The picture at another size. Pixels keep their range, because no kernel overshoots at edges.
    public func resized(width newWidth: Int, height newHeight: Int) -> Picture {
        if newWidth == width, newHeight == height { return self }
        return resampled(
            x: 0, y: 0, width: Double(width), height: Double(height), toWidth: newWidth, height: newHeight,
            isBlackBeyond: false)
    }

    /// The rectangle at (`x`, `y`) of `width` by `height` source pixels, as a picture of `toWidth` by `toHeight`
    /// pixels. The rectangle need not consist of whole pixels or lie inside the picture. Parts beyond the border are
    /// black, or are left out of the average if `isBlackBeyond` is false.
    public func resampled(
        x: Double, y: Double, width: Double, height: Double, toWidth: Int, height toHeight: Int,
        isBlackBeyond: Bool = true
    ) -> Picture {
        let columns = Resampling(
            sourceCount: self.width, from: x, to: x + width, targetCount: toWidth, isBlackBeyond: isBlackBeyond)
        let rows = Resampling(
            sourceCount: self.height, from: y, to: y + height, targetCount: toHeight, isBlackBeyond: isBlackBeyond)
        // [height, toWidth, 3], with only those source rows that some target row needs.
        let firstRow = rows.starts.min() ?? 0
        let endRow = min(self.height, (rows.starts.max() ?? 0) + rows.taps)
        let lineCount = toWidth * 3
        var narrow = [Float](repeating: 0, count: max(0, endRow - firstRow) * lineCount)
        var result = [UInt8](repeating: 0, count: toHeight * lineCount)
        pixels.withUnsafeBufferPointer { source in
            narrow.withUnsafeMutableBufferPointer { narrow in
                for row in firstRow..<endRow {
                    shrinkRow(source, row: row, columns, into: narrow, at: (row - firstRow) * lineCount)
                }
                var line = [Float](repeating: 0, count: lineCount)
                line.withUnsafeMutableBufferPointer { line in
                    result.withUnsafeMutableBufferPointer { result in
                        for target in 0..<toHeight {
                            line.update(repeating: 0)
                            for tap in 0..<rows.taps {
                                let weight = rows.weights[target * rows.taps + tap]
                                if weight == 0 { continue }
                                let from = (rows.starts[target] + tap - firstRow) * lineCount
                                for i in 0..<lineCount { line[i] += weight * narrow[from + i] }
                            }
                            let to = target * lineCount
                            for i in 0..<lineCount { result[to + i] = UInt8(min(max(line[i] + 0.5, 0), 255)) }
                        }
                    }
                }
            }
        }
        return Picture(width: toWidth, height: toHeight, pixels: result)
    }

    /// Resamples one source row, [width, 3], to [toWidth, 3] at `offset` of `target`.
    private func shrinkRow(
        _ source: UnsafeBufferPointer<UInt8>, row: Int, _ columns: Resampling,
        into target: UnsafeMutableBufferPointer<Float>,
        at offset: Int
    ) {
        let rowStart = row * width
        columns.weights.withUnsafeBufferPointer { weights in
            for column in 0..<columns.starts.count {
                var red: Float = 0, green: Float = 0, blue: Float = 0
                let first = (rowStart + columns.starts[column]) * 3
                let taps = min(columns.taps, width - columns.starts[column])
                for tap in 0..<taps {
                    let weight = weights[column * columns.taps + tap]
                    red += weight * Float(source[first + 3 * tap])
                    green += weight * Float(source[first + 3 * tap + 1])
                    blue += weight * Float(source[first + 3 * tap + 2])
                }
                target[offset + 3 * column] = red
                target[offset + 3 * column + 1] = green
                target[offset + 3 * column + 2] = blue
            }
        }
    }
}
