import Foundation

/// How strongly a vessel passes through each pixel, and in which direction.
///
/// The filter is the second derivative of a Gaussian across a direction (Frangi et al., "Multiscale vessel enhancement
/// filtering", MICCAI 1998, eq. 3). It is averaged along a segment of that direction, as matched filters are (Chaudhuri
/// et al., IEEE TMI 8(3), 1989). The responses at three widths are added, for each of twelve directions.
/// `Tools/reference/vessel_filters.py` compares it with five published filters.
package struct VesselFilter {
    static let directions = 12
    /// The deviation across the vessel and half the segment's length, in pixels of a picture of 256 x 256.
    package static let widths: [(sigma: Double, half: Double)] = [(0.9, 4), (1.4, 5), (2.2, 6)]
    private static let taps = -4...4

    let width: Int
    let height: Int
    /// The response of the strongest direction; negative on bright lines. [height, width]
    package private(set) var strength: [Float]
    /// The response of the weakest direction: about 0 on a line, and positive on a dark blob. [height, width]
    package private(set) var weakest: [Float]
    /// The mean of exp(2 i angle) over the directions, weighted with their positive responses. Its length is 1 for one
    /// sharp direction and 0 for a blob. Angles are measured from x towards y. [height, width]
    package private(set) var cosine: [Float]
    package private(set) var sine: [Float]

    /// - Parameters:
    ///   - values: [height, width]. Dark vessels are positive, and the average is zero.
    ///   - widths: the deviations across the vessel and the half lengths, whose responses are added.
    package init(
        _ values: [Float], width: Int, height: Int, widths: [(sigma: Double, half: Double)] = VesselFilter.widths
    ) {
        self.width = width
        self.height = height
        let unit = Double(max(width, height)) / 256
        let scales = widths.map { (sigma: max(0.7, $0.sigma * unit), half: $0.half * unit) }
        let pad = scales.map { Int((3.5 * $0.sigma + $0.half).rounded(.up)) + 2 }.max() ?? 0
        let canvas = Canvas(values, width: width, height: height, pad: pad)
        let curvatures = scales.map { canvas.curvatures(sigma: $0.sigma) }
        let count = canvas.count
        var best = [Float](repeating: -.infinity, count: count), least = [Float](repeating: .infinity, count: count)
        var sum = [Float](repeating: 1e-6, count: count)
        var re = [Float](repeating: 0, count: count), im = re, across = re, response = re
        for direction in 0..<Self.directions {
            let angle = Double(direction) * .pi / Double(Self.directions)
            let c = cos(angle), s = sin(angle)
            response.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
            for (scale, curvature) in zip(scales, curvatures) {
                curvature.across(c, s, into: &across)
                let weights = Self.taps.map { exp(-pow(Double($0) / 4 / 0.6, 2) / 2) }
                let total = weights.reduce(0, +)
                for (tap, weight) in zip(Self.taps, weights) {
                    let along = Double(tap) / 4 * scale.half
                    let offset = Int((along * s).rounded()) * canvas.stride + Int((along * c).rounded())
                    canvas.add(across, shiftedBy: offset, times: Float(weight / total), to: &response)
                }
            }
            canvas.gather(
                response, cos2: Float(cos(2 * angle)), sin2: Float(sin(2 * angle)), &best, &least, &re, &im, &sum)
        }
        strength = canvas.cut(best)
        weakest = canvas.cut(least)
        let total = canvas.cut(sum)
        cosine = zip(canvas.cut(re), total).map { $0 / $1 }
        sine = zip(canvas.cut(im), total).map { $0 / $1 }
    }
}

/// Planes with a margin of zeros all around, so that a shift in any direction is only an offset.
private struct Canvas {
    let width: Int, height: Int, pad: Int
    let values: [Float]
    var stride: Int { width + 2 * pad }
    var count: Int { stride * (height + 2 * pad) }
    /// The elements of all rows of the picture. From these, a shift within the margin stays inside the plane.
    private var body: Range<Int> { stride * pad..<stride * (pad + height) }

    init(_ plane: [Float], width: Int, height: Int, pad: Int) {
        (self.width, self.height, self.pad) = (width, height, pad)
        let stride = width + 2 * pad
        var values = [Float](repeating: 0, count: stride * (height + 2 * pad))
        for y in 0..<height {
            for x in 0..<width { values[(y + pad) * stride + x + pad] = plane[y * width + x] }
        }
        self.values = values
    }

    /// The picture without the margin. [height, width]
    func cut(_ plane: [Float]) -> [Float] {
        var result: [Float] = []
        result.reserveCapacity(width * height)
        for y in pad..<pad + height {
            let start = y * stride + pad
            result += plane[start..<start + width]
        }
        return result
    }

    func add(_ plane: [Float], shiftedBy offset: Int, times weight: Float, to sum: inout [Float]) {
        plane.withUnsafeBufferPointer { plane in
            sum.withUnsafeMutableBufferPointer { sum in
                let first = body.lowerBound, from = plane.baseAddress.unsafelyUnwrapped + first + offset
                let to = sum.baseAddress.unsafelyUnwrapped + first
                for i in 0..<body.count { to[i] += weight * from[i] }
            }
        }
    }

    func gather(
        _ response: [Float], cos2: Float, sin2: Float, _ best: inout [Float], _ least: inout [Float],
        _ re: inout [Float], _ im: inout [Float], _ sum: inout [Float]
    ) {
        for i in body {
            let value = response[i], positive = max(0, value)
            best[i] = max(best[i], value)
            least[i] = min(least[i], value)
            re[i] += cos2 * positive
            im[i] += sin2 * positive
            sum[i] += positive
        }
    }

    /// Second derivatives at one width, multiplied by sigma squared.
    func curvatures(sigma: Double) -> Curvatures {
        let reach = Int((3.5 * sigma).rounded(.up))
        let steps = (-reach...reach).map(Double.init)
        let smooth = steps.map { exp(-$0 * $0 / (2 * sigma * sigma)) }
        let total = smooth.reduce(0, +)
        let zero = smooth.map { Float($0 / total) }
        let first = zip(steps, smooth).map { Float(-$0 / sigma * $1 / total) }
        var second = zip(steps, smooth).map { ($0 * $0 / (sigma * sigma) - 1) * $1 / total }
        // The mean is removed, so that the filter does not respond to a constant.
        let mean = second.reduce(0, +) / Double(second.count)
        second = second.map { $0 - mean }
        func along(_ plane: [Float], _ weights: [Float], _ step: Int) -> [Float] {
            var result = [Float](repeating: 0, count: count)
            plane.withUnsafeBufferPointer { plane in
                result.withUnsafeMutableBufferPointer { result in
                    let from = plane.baseAddress.unsafelyUnwrapped, to = result.baseAddress.unsafelyUnwrapped
                    let margin = reach * step
                    for (k, weight) in weights.enumerated() {
                        let source = from + (k - reach) * step
                        for i in margin..<count - margin { to[i] += weight * source[i] }
                    }
                }
            }
            return result
        }
        let secondFloat = second.map { Float($0) }
        return Curvatures(
            xx: along(along(values, secondFloat, 1), zero, stride),
            yy: along(along(values, zero, 1), secondFloat, stride),
            xy: along(along(values, first, 1), first, stride))
    }
}

private struct Curvatures {
    let xx: [Float], yy: [Float], xy: [Float]

    /// The negative second derivative across direction (c, s): positive on bright ridges of the values.
    func across(_ c: Double, _ s: Double, into result: inout [Float]) {
        let a = Float(-s * s), b = Float(2 * s * c), d = Float(-c * c)
        xx.withUnsafeBufferPointer { xx in
            yy.withUnsafeBufferPointer { yy in
                xy.withUnsafeBufferPointer { xy in
                    result.withUnsafeMutableBufferPointer { result in
                        for i in 0..<result.count { result[i] = a * xx[i] + b * xy[i] + d * yy[i] }
                    }
                }
            }
        }
    }
}
