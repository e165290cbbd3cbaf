import TensorCore

/// The spectra of many fields, among which those that may show the eye of a probe are found by inner products alone,
/// without laying one field over another.
struct SpectrumIndex: Sendable {
    /// How the eye of a probe may lie: turned by some of the spectrum's angles, at some scales, and mirrored.
    struct Poses: Sendable {
        let turns: [Int]
        /// Any rotation, or up to about 17 degrees.
        static let any = Poses(turns: Array(0..<VesselSpectrum.angles))
        static let upright = Poses(turns: Array(-3...3))

        fileprivate var count: Int { 3 * 2 * turns.count }
    }

    /// The number of fields that are multiplied at once.
    private static let blockRows = 4096
    /// The number of probes that are multiplied at once.
    static let probesAtOnce = 4

    private let means: [Float]
    private let scales: [Float]
    private let blocks: [RowProducts]
    let count: Int

    /// - Parameter descriptions: the descriptions of all fields one after another, [count, `VesselSpectrum.length`].
    init(_ descriptions: consuming [Float], count: Int) {
        let length = VesselSpectrum.length
        var sums = [Double](repeating: 0, count: length), squares = sums
        descriptions.withUnsafeBufferPointer { all in
            for row in 0..<count {
                for k in 0..<length {
                    let value = Double(all[row * length + k])
                    sums[k] += value
                    squares[k] += value * value
                }
            }
        }
        let n = Double(max(1, count))
        let means = sums.map { Float($0 / n) }
        let scales = zip(sums, squares).map { sum, square in
            Float(1 / max(1e-6, (square / n - sum / n * (sum / n)).squareRoot()))
        }
        descriptions.withUnsafeMutableBufferPointer { all in
            nonisolated(unsafe) let rows = all.baseAddress.unsafelyUnwrapped
            parallelFor(count) { Self.standardise(rows + $0 * length, means, scales) }
        }
        blocks = stride(from: 0, to: count, by: Self.blockRows).map { first in
            let rows = min(Self.blockRows, count - first)
            return RowProducts(
                Array(descriptions[first * length..<(first + rows) * length]), count: rows, length: length)
        }
        (self.means, self.scales, self.count) = (means, scales, count)
    }

    /// Subtracts the mean of all fields, divides by their deviation, and makes the row a unit vector.
    private static func standardise(_ row: UnsafeMutablePointer<Float>, _ means: [Float], _ scales: [Float]) {
        var sum: Float = 0
        for k in 0..<means.count {
            row[k] = (row[k] - means[k]) * scales[k]
            sum += row[k] * row[k]
        }
        let scale = 1 / max(sum, 1e-12).squareRoot()
        for k in 0..<means.count { row[k] *= scale }
    }

    /// The fields that are nearest to each probe in any of the poses, nearest first.
    /// - Parameters:
    ///   - limit: only fields before this one are looked at.
    ///   - isAllowed: whether a field may be the answer for a probe (given by its place among `probes`).
    func nearest(
        _ wanted: Int, to probes: [VesselSpectrum], _ poses: Poses, before limit: Int, isAllowed: (Int, Int) -> Bool
    ) -> [[Int]] {
        let length = VesselSpectrum.length, each = poses.count
        var rows = [Float](repeating: 0, count: probes.count * each * length)
        rows.withUnsafeMutableBufferPointer { rows in
            var next = rows.baseAddress.unsafelyUnwrapped
            for probe in probes {
                for ring in -1...1 {
                    let description = probe.description(ring: ring)
                    for mirrored in [false, true] {
                        for turn in poses.turns {
                            let turned = VesselSpectrum.description(description, turnedBy: turn, mirrored: mirrored)
                            turned.withUnsafeBufferPointer {
                                next.update(from: $0.baseAddress.unsafelyUnwrapped, count: length)
                            }
                            Self.standardise(next, means, scales)
                            next += length
                        }
                    }
                }
            }
        }
        var lists = probes.map { _ in BestRows(wanted) }
        var answers = [Float](repeating: 0, count: probes.count * each * min(Self.blockRows, max(1, count)))
        for (number, block) in blocks.enumerated() where number * Self.blockRows < limit {
            let first = number * Self.blockRows
            answers.withUnsafeMutableBufferPointer { answers in
                let answers = answers.baseAddress.unsafelyUnwrapped
                rows.withUnsafeBufferPointer {
                    block.multiply($0.baseAddress.unsafelyUnwrapped, rows: probes.count * each, into: answers)
                }
                for probe in probes.indices {
                    let best = answers + probe * each * block.count
                    for pose in 1..<each {
                        let other = best + pose * block.count
                        for i in 0..<block.count { best[i] = max(best[i], other[i]) }
                    }
                    for i in 0..<min(block.count, limit - first) where best[i] > lists[probe].least {
                        if isAllowed(probe, first + i) { lists[probe].add(first + i, best[i]) }
                    }
                }
            }
        }
        return lists.map(\.rows)
    }
}

/// The rows with the largest values of those that were added; of equal values, the earlier rows.
private struct BestRows {
    private let wanted: Int
    private var entries: [(row: Int, value: Float)] = []
    /// A row with a value of at most this one cannot be among the best.
    private(set) var least: Float = -.infinity

    init(_ wanted: Int) { self.wanted = wanted }

    /// Rows come in their order.
    mutating func add(_ row: Int, _ value: Float) {
        entries.append((row, value))
        if entries.count == 2 * wanted { shrink() }
    }

    private mutating func shrink() {
        entries.sort { ($0.value, $1.row) > ($1.value, $0.row) }
        if entries.count >= wanted {
            entries.removeLast(entries.count - wanted)
            least = entries[wanted - 1].value
        }
    }

    var rows: [Int] {
        var copy = self
        copy.shrink()
        return copy.entries.map(\.row)
    }
}
