import Pictures
import RetinalMatching

/// A picture at the working size, and what all measures need of it.
package struct EyeScene: Sendable {
    /// Width and height of all planes, in pixels. Other pictures are resized to it.
    package static let side = 256
    /// The width of the rim that is left out, in pixels.
    private static let rim = 5
    /// The width of the rim that camera and resizing have darkened, in pixels.
    private static let edge = 3
    /// The deviation of the background's Gaussian in pixels, and the largest departure from the background that still
    /// counts as background.
    private static let reach = 10.0, departure: Float = 0.12

    let picture: Picture
    /// [side, side], in levels of 255.
    package let red: [Float], green: [Float], blue: [Float]
    /// The lit field of view, and the same without its rim. [side, side]
    let lit: [Bool]
    package let inside: [Bool]
    /// The lit field of view without the darkened pixels at its rim. [side, side]
    let clear: [Bool]
    /// The number of pixels `inside`.
    let area: Int
    /// The middle and the radius of the field of view, in pixels; the radius is half its width.
    package let middle: SIMD2<Float>, radius: Float
    /// (background - green) / background: the share of light that blood takes. [side, side]; 0 outside.
    let darkness: [Float]
    /// The same for red. [side, side]
    let redDarkness: [Float]

    package init(_ original: Picture) {
        let side = Self.side, picture = original.resized(width: side, height: side)
        let lit = LitRegion.mask(of: picture)
        self.picture = picture
        self.lit = lit
        inside = LitRegion.eroded(lit, width: side, height: side, by: Self.rim)
        clear = LitRegion.eroded(lit, width: side, height: side, by: Self.edge)
        area = inside.count { $0 }
        let columns = (0..<side).filter { x in (0..<side).contains { lit[$0 * side + x] } }
        let rows = (0..<side).filter { y in lit[y * side..<(y + 1) * side].contains(true) }
        let left = Float(columns.first ?? 0), right = Float(columns.last ?? -1) + 1
        middle = SIMD2((left + right) / 2, Float((rows.first ?? 0) + (rows.last ?? -1) + 1) / 2)
        radius = (right - left) / 2
        let red = (0..<side * side).map { Float(picture.pixels[3 * $0]) }
        let green = (0..<side * side).map { Float(picture.pixels[3 * $0 + 1]) }
        (self.red, self.green) = (red, green)
        blue = (0..<side * side).map { Float(picture.pixels[3 * $0 + 2]) }
        darkness = Self.darkness(green, lit)
        redDarkness = Self.darkness(red, lit)
    }

    /// The departure from the mean of the surroundings. The mean is taken twice: the second time over pixels near the
    /// first mean only, so that neither the disc nor vessels count.
    private static func darkness(_ plane: [Float], _ lit: [Bool]) -> [Float] {
        let blur = BoxBlur(width: side, height: side, sigma: reach)
        var weight = lit.map { $0 ? Float(1) : 0 }
        var result = [Float](repeating: 0, count: plane.count)
        for pass in 0..<2 {
            let sum = blur.applied(to: zip(plane, weight).map { $0 * $1 }), cover = blur.applied(to: weight)
            for i in plane.indices where lit[i] {
                // Where nothing near is background, the first mean's result stays.
                if pass == 1, cover[i] < 0.02 { continue }
                let mean = max(sum[i] / max(cover[i], 1e-6), 8)
                result[i] = min(max((mean - plane[i]) / mean, -0.6), 0.8)
            }
            for i in plane.indices { weight[i] = lit[i] && abs(result[i]) < departure ? 1 : 0 }
        }
        return result
    }
}

extension [Float] {
    /// The values at equal distances through the sorted elements; 0 where there are none. Of many elements, every nth
    /// counts, so that some thousands are sorted.
    func quantiles(_ shares: [Double]) -> [Float] {
        let step = Swift.max(1, count / 4096)
        let sorted = stride(from: 0, to: count, by: step).map { self[$0] }.sorted()
        return shares.map { sorted.isEmpty ? 0 : sorted[Int($0 * Double(sorted.count - 1))] }
    }
}
