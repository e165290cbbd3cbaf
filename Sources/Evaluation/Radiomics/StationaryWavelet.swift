/// One level of the stationary wavelet transform with the Coiflet of six taps (Daubechies, "Orthonormal bases of
/// compactly supported wavelets II", 1993), as pyradiomics takes it from PyWavelets: `coif1`, periodic, nothing thinned
/// out. The smooth band is twice as bright as the picture.
package enum StationaryWavelet {
    /// What PyWavelets calls `dec_lo`; `dec_hi` is the same backwards with changing signs.
    private static let low = [
        -0.015655728135791993, -0.07273261951252645, 0.3848648468648578, 0.8525720202116004, 0.3378976624574818,
        -0.07273261951252645,
    ]
    private static let high = low.indices.map { ($0 % 2 == 0 ? -1 : 1) * low[low.count - 1 - $0] }

    /// The bands, named by what was taken along lines and along columns: L for smooth, H for rough.
    /// - Parameter plane: [height, width]; PyWavelets takes even numbers alone.
    package static func bands(_ plane: [Double], width: Int) -> [(name: String, plane: [Double])] {
        [("L", low), ("H", high)].flatMap { across in
            let lines = alongLines(plane, across.1, width: width)
            return [("L", low), ("H", high)].map { down in
                (across.0 + down.0, alongColumns(lines, down.1, width: width))
            }
        }
    }

    /// The place that a tap takes its value from: three ahead, as PyWavelets centres the filter, and round the ends.
    private static func source(_ position: Int, _ tap: Int, count: Int) -> Int {
        (position + 3 - tap + 3 * count) % count
    }

    private static func alongLines(_ plane: [Double], _ taps: [Double], width: Int) -> [Double] {
        let places = taps.indices.map { tap in (0..<width).map { source($0, tap, count: width) } }
        var result = [Double](repeating: 0, count: plane.count)
        for start in stride(from: 0, to: plane.count, by: width) {
            for (tap, weight) in taps.enumerated() {
                for x in 0..<width { result[start + x] += weight * plane[start + places[tap][x]] }
            }
        }
        return result
    }

    private static func alongColumns(_ plane: [Double], _ taps: [Double], width: Int) -> [Double] {
        let height = plane.count / width
        var result = [Double](repeating: 0, count: plane.count)
        for y in 0..<height {
            for (tap, weight) in taps.enumerated() {
                let from = source(y, tap, count: height) * width
                for x in 0..<width { result[y * width + x] += weight * plane[from + x] }
            }
        }
        return result
    }
}
