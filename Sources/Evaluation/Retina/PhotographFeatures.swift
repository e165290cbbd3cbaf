import Foundation
import Pictures
import Statistics
import TensorCore

/// Features that describe a picture as a photograph of an eye: the lit share, the colours, the spectrum of the green
/// channel by octave, and a coarse layout. Nothing in them is trained.
package struct PhotographFeatures {
    /// [count, width]
    package let rows: [[Double]]

    /// A pixel is lit where its brightest channel is above this level.
    private static let litLevel: UInt8 = 20
    /// The sides of the layout's grid.
    private static let grid = 4

    /// The least deviation that each feature is divided by. Photographs of one camera vary less in some features than
    /// anybody would notice, and without these floors another camera would count as no camera at all.
    package let floors: [Double]

    package init(_ pictures: PictureSet) {
        let side = PhotographFeatures.side(ofSize: pictures.size)
        var rows = [[Double]](repeating: [], count: pictures.count)
        rows.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let target = buffer
            parallelFor(pictures.count) { index in
                target[index] = PhotographFeatures.features(pictures[index].resized(width: side, height: side))
            }
        }
        self.rows = rows
        floors =
            [0.05] + [12, 8, 12, 8, 12, 8] + [4] + PhotographFeatures.octaves(side).flatMap { _ in [0.3, 0.5] }
            + [Double](repeating: 0.3, count: PhotographFeatures.grid * PhotographFeatures.grid)
    }

    /// The side at which pictures of a size are described: the largest power of two that is no larger, and at least 32.
    static func side(ofSize size: Int) -> Int {
        var side = 32
        while side * 2 <= size { side *= 2 }
        return side
    }

    /// What each feature is.
    static func names(side: Int) -> [String] {
        ["lit share"] + ["red", "green", "blue"].flatMap { ["\($0) mean", "\($0) deviation"] } + ["surround"]
            + octaves(side).flatMap { ["deviation at \($0)", "kurtosis at \($0)"] }
            + (0..<grid * grid).map { "green at row \($0 / grid) column \($0 % grid)" }
    }

    /// The sides at which the octaves are taken: `side`, its half, and so on down to 16.
    private static func octaves(_ side: Int) -> [Int] {
        Array(sequence(first: side) { $0 / 2 >= 16 ? $0 / 2 : nil })
    }

    /// - Parameter picture: a square whose side is a power of two.
    static func features(_ picture: Picture) -> [Double] {
        let side = picture.width, count = side * side
        let brightest = (0..<count).map {
            max(picture.pixels[3 * $0], picture.pixels[3 * $0 + 1], picture.pixels[3 * $0 + 2])
        }
        let lit = brightest.map { $0 > litLevel }, litCount = lit.count { $0 }
        // A black picture has no lit part; then all of it is described.
        let isKnown = litCount * 100 > count ? lit : lit.map { _ in true }
        var features = [Double(litCount) / Double(count)]
        for channel in 0..<3 {
            let values = (0..<count).filter { isKnown[$0] }.map { Double(picture.pixels[3 * $0 + channel]) }
            features += [values.mean, values.deviation]
        }
        features.append((0..<count).filter { !isKnown[$0] }.map { Double(brightest[$0]) }.mean)
        let green = (0..<count).map { Double(picture.pixels[3 * $0 + 1]) }
        features += spectrum(green, isKnown, side: side)
        let known = (0..<count).filter { isKnown[$0] }.map { green[$0] }
        let mean = known.mean, deviation = max(1, known.deviation)
        return features + layout((0..<count).map { isKnown[$0] ? (green[$0] - mean) / deviation : 0 }, side: side)
    }

    /// Logarithm of the deviation and of the kurtosis in each octave, inside the lit part: photographs have few strong
    /// edges on a smooth ground, while noise has none.
    private static func spectrum(_ plane: [Double], _ isKnown: [Bool], side: Int) -> [Double] {
        var current = plane, known = isKnown, features: [Double] = []
        for side in octaves(side) {
            let half = side / 2
            var low = [Double](repeating: 0, count: half * half), all = [Bool](repeating: false, count: half * half)
            var band: [Double] = []
            for y in 0..<half {
                for x in 0..<half {
                    let places = [0, 1, side, side + 1].map { 2 * y * side + 2 * x + $0 }
                    let mean = places.reduce(0) { $0 + current[$1] } / 4
                    (low[y * half + x], all[y * half + x]) = (mean, places.allSatisfy { known[$0] })
                    if all[y * half + x] { band += places.map { current[$0] - mean } }
                }
            }
            let deviation = band.deviation + 0.05
            let kurtosis = band.map { pow($0 / deviation, 4) }.mean
            features += [log(deviation), log(kurtosis + 0.1)]
            (current, known) = (low, all)
        }
        return features
    }

    /// The means of the grid's cells.
    private static func layout(_ plane: [Double], side: Int) -> [Double] {
        let cell = side / grid
        var sums = [Double](repeating: 0, count: grid * grid)
        for y in 0..<side {
            for x in 0..<side { sums[y / cell * grid + x / cell] += plane[y * side + x] }
        }
        return sums.map { $0 / Double(cell * cell) }
    }
}
