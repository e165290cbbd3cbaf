/// A square picture in floating point: [side, side, 3], RGB in 0...1.
package struct FloatPicture: Sendable {
    package let side: Int
    package var pixels: [Float]

    package init(side: Int, pixels: [Float]) {
        self.side = side
        self.pixels = pixels
    }

    package init(_ picture: Picture, side: Int) {
        self.init(side: side, pixels: picture.resized(width: side, height: side).pixels.map { Float($0) / 255 })
    }

    /// The picture as a network may read it, [side, side, 3]. It is the local contrast, so that neither colour nor
    /// vignette nor outline dominates.
    ///
    /// The channels are red, green and luma; blue is left out because it is mostly noise. Each channel becomes
    /// (x - m) / (m + 0.05), where m is its mean nearby inside the field of view (a box of side / 12 to either side,
    /// taken twice). It is then divided by its standard deviation inside the field of view, and cut at +-3. Outside it
    /// is 0.
    package func localContrast() -> [Float] {
        let count = side * side, radius = max(2, (side + 6) / 12)
        var mask = [Float](repeating: 0, count: count)
        for i in 0..<count where pixels[3 * i] + pixels[3 * i + 1] + pixels[3 * i + 2] > 0.18 { mask[i] = 1 }
        let box = BoxMean(side: side, radius: radius)
        let cover = box.twice(mask)
        let area = mask.reduce(0, +)
        var result = [Float](repeating: 0, count: 3 * count)
        var plane = [Float](repeating: 0, count: count)
        for channel in 0..<3 {
            for i in 0..<count where mask[i] > 0 { plane[i] = channel < 2 ? pixels[3 * i + channel] : luma(i) }
            let sums = box.twice(plane)
            var squares: Float = 0
            for i in 0..<count where mask[i] > 0 {
                let mean = sums[i] / (cover[i] + 1e-6)
                let contrast = (plane[i] - mean) / (mean + 0.05)
                result[3 * i + channel] = contrast
                squares += contrast * contrast
            }
            let scale = 1 / ((squares / max(1, area)).squareRoot() + 1e-3)
            for i in 0..<count { result[3 * i + channel] = min(3, max(-3, result[3 * i + channel] * scale)) }
        }
        return result
    }

    /// The luma of pixel `i` (ITU-R BT.601).
    package func luma(_ i: Int) -> Float {
        0.299 * pixels[3 * i] + 0.587 * pixels[3 * i + 1] + 0.114 * pixels[3 * i + 2]
    }
}

/// Running means over squares. Pixels beyond the borders count as zero.
private struct BoxMean {
    let side: Int, radius: Int

    /// Takes the mean twice, which is nearly a Gaussian filter.
    func twice(_ plane: [Float]) -> [Float] {
        var result = plane, line = plane
        for _ in 0..<2 {
            pass(result, into: &line, step: 1, lines: side)
            pass(line, into: &result, step: side, lines: 1)
        }
        return result
    }

    /// Takes means along lines. The pixels of a line lie `step` apart, and the lines begin `lines` apart.
    private func pass(_ source: [Float], into target: inout [Float], step: Int, lines: Int) {
        let scale = 1 / Float(2 * radius + 1)
        source.withUnsafeBufferPointer { source in
            target.withUnsafeMutableBufferPointer { target in
                for number in 0..<side {
                    let start = number * lines
                    var sum: Float = 0
                    for i in 0..<radius { sum += source[start + i * step] }
                    for i in 0..<side {
                        if i + radius < side { sum += source[start + (i + radius) * step] }
                        target[start + i * step] = sum * scale
                        if i - radius >= 0 { sum -= source[start + (i - radius) * step] }
                    }
                }
            }
        }
    }
}
