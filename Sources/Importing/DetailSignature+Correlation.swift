import Foundation

extension DetailSignature {
    /// The number of the hash's signs in which two photographs differ, 0 to 64. Unrelated photographs differ in 32 on
    /// average.
    public func hashDistance(to other: DetailSignature) -> Int { (hash ^ other.hash).nonzeroBitCount }

    /// A cheap first comparison: the largest cosine of the two outlooks of 32 pixels a side, over shifts of up to one
    /// pixel.
    ///
    /// A copy that is shifted by up to three of the 128 pixels still has more than `minimumResemblance`.
    public func resemblance(to other: DetailSignature) -> Float {
        let small = DetailSignature.side / 4
        var best: Float = -1
        outlook.withUnsafeBufferPointer { mine in
            other.outlook.withUnsafeBufferPointer { theirs in
                for dy in -1...1 {
                    for dx in -1...1 {
                        var sum: Float = 0
                        for y in max(0, -dy)..<min(small, small - dy) {
                            let from = y * small, to = (y + dy) * small + dx
                            for x in max(0, -dx)..<min(small, small - dx) { sum += mine[from + x] * theirs[to + x] }
                        }
                        best = max(best, sum)
                    }
                }
            }
        }
        return best
    }

    /// Pairs below this resemblance are not compared further.
    public static let minimumResemblance: Float = 0.75

    /// The largest correlation of the details of two photographs inside their common field of view, over shifts.
    ///
    /// First, shifts of up to three of the 128 pixels are tried (2 % of the diameter: two detections of one field of
    /// view, or a border that was cut off, can shift a copy by so much). Then the best shift is refined to a fraction
    /// of a pixel. A pair that has less than half of the field of view in common gets the correlation 0.
    public func correlation(with other: DetailSignature) -> Double {
        let reach = 3
        var best = (value: -1.0, dx: 0, dy: 0)
        var grid: [SIMD2<Int>: Double] = [:]
        for dy in -reach...reach {
            for dx in -reach...reach {
                let value = correlation(with: other, dx: dx, dy: dy)
                grid[[dx, dy]] = value
                if value > best.value { best = (value, dx, dy) }
            }
        }
        // A pair that cannot be a copy does not need fractions of a pixel.
        guard best.value > 0.8 else { return best.value }
        func vertex(_ before: Double?, _ after: Double?) -> Double {
            guard let before, let after else { return 0 }
            let bend = before - 2 * best.value + after
            return bend < 0 ? max(-0.5, min(0.5, 0.5 * (before - after) / bend)) : 0
        }
        let fx = vertex(grid[[best.dx - 1, best.dy]], grid[[best.dx + 1, best.dy]])
        let fy = vertex(grid[[best.dx, best.dy - 1]], grid[[best.dx, best.dy + 1]])
        return max(best.value, correlation(with: other, x: Double(best.dx) + fx, y: Double(best.dy) + fy))
    }

    /// Pearson's correlation at a whole shift, with this picture at (x, y) and the other at (x + dx, y + dy).
    private func correlation(with other: DetailSignature, dx: Int, dy: Int) -> Double {
        let side = DetailSignature.side
        var count = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0
        detail.withUnsafeBufferPointer { mine in
            other.detail.withUnsafeBufferPointer { theirs in
                mask.withUnsafeBufferPointer { myMask in
                    other.mask.withUnsafeBufferPointer { theirMask in
                        for y in max(0, -dy)..<min(side, side - dy) {
                            for x in max(0, -dx)..<min(side, side - dx) {
                                let i = y * side + x, j = (y + dy) * side + x + dx
                                let counts = myMask[i] && theirMask[j] ? 1 : 0
                                let p = Int(mine[i]) * counts, q = Int(theirs[j]) * counts
                                count += counts
                                a += p
                                b += q
                                aa += p * p
                                bb += q * q
                                ab += p * q
                            }
                        }
                    }
                }
            }
        }
        return pearson(Double(count), Double(a), Double(b), Double(aa), Double(bb), Double(ab), other)
    }

    /// Pearson's correlation at a fractional shift. The other picture is interpolated linearly.
    private func correlation(with other: DetailSignature, x shiftX: Double, y shiftY: Double) -> Double {
        let side = DetailSignature.side
        let dx = Int(shiftX.rounded(.down)), dy = Int(shiftY.rounded(.down))
        let fx = shiftX - Double(dx), fy = shiftY - Double(dy)
        var count = 0.0, a = 0.0, b = 0.0, aa = 0.0, bb = 0.0, ab = 0.0
        for y in max(0, -dy)..<min(side, side - dy - 1) {
            for x in max(0, -dx)..<min(side, side - dx - 1) {
                let i = y * side + x, j = (y + dy) * side + x + dx
                guard mask[i], other.mask[j], other.mask[j + 1], other.mask[j + side], other.mask[j + side + 1] else {
                    continue
                }
                let p = Double(detail[i])
                let upper = Double(other.detail[j]) * (1 - fx) + Double(other.detail[j + 1]) * fx
                let lower = Double(other.detail[j + side]) * (1 - fx) + Double(other.detail[j + side + 1]) * fx
                let q = upper * (1 - fy) + lower * fy
                count += 1
                a += p
                b += q
                aa += p * p
                bb += q * q
                ab += p * q
            }
        }
        return pearson(count, a, b, aa, bb, ab, other)
    }

    private func pearson(
        _ count: Double, _ a: Double, _ b: Double, _ aa: Double, _ bb: Double, _ ab: Double, _ other: DetailSignature
    ) -> Double {
        guard count >= 0.5 * Double(max(maskCount, other.maskCount)), count > 0 else { return 0 }
        let varianceA = aa - a * a / count, varianceB = bb - b * b / count
        guard varianceA > 0, varianceB > 0 else { return 0 }
        return (ab - a * b / count) / (varianceA * varianceB).squareRoot()
    }

    private var maskCount: Int { mask.count { $0 } }
}
