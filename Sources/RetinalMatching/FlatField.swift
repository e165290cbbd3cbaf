import Pictures

/// The green channel, in which blood is darkest, without illumination and contrast.
enum FlatField {
    /// The deviation of the background's Gaussian, as a share of the picture's longer side.
    private static let reach = 0.06
    /// A contrast below this (in levels of 255) is noise and is not amplified to 1.
    private static let leastContrast: Float = 0.25

    /// (local mean - green) / local deviation, both only over the field of view, so that dark vessels are positive.
    /// The value outside is 0. As 0 is the local mean, a filter of zero mean does not respond to the rim.
    /// [height, width]
    static func values(of picture: Picture, inside: [Bool]) -> [Float] {
        let width = picture.width, height = picture.height
        let sigma = reach * Double(max(width, height))
        let weight = inside.map { $0 ? Float(1) : 0 }
        var residual = (0..<width * height).map { inside[$0] ? Float(picture.pixels[3 * $0 + 1]) : 0 }
        let narrow = BoxBlur(width: width, height: height, sigma: sigma),
            wide = BoxBlur(width: width, height: height, sigma: 2 * sigma)
        let mean = narrow.applied(to: residual), cover = narrow.applied(to: weight)
        for i in residual.indices { residual[i] = inside[i] ? mean[i] / max(cover[i], 1e-6) - residual[i] : 0 }
        let power = wide.applied(to: residual.map { $0 * $0 }), area = wide.applied(to: weight)
        for i in residual.indices where inside[i] {
            residual[i] /= (max(0, power[i]) / max(area[i], 1e-6)).squareRoot() + leastContrast
        }
        return residual
    }
}

/// A Gaussian blur as three running means (Wells, "Efficient synthesis of Gaussian filters by cascaded uniform
/// filters", IEEE PAMI 8(2), 1986). Values beyond the picture count as 0.
struct BoxBlur {
    let width: Int
    let height: Int
    /// Half the window in pixels. Three windows of 2 r + 1 pixels have the variance r (r + 1).
    private let radius: Int

    init(width: Int, height: Int, sigma: Double) {
        self.width = width
        self.height = height
        radius = max(1, Int(((sigma * sigma + 0.25).squareRoot() - 0.5).rounded()))
    }

    /// - Parameter plane: [height, width].
    func applied(to plane: [Float]) -> [Float] {
        var plane = plane
        var line = [Double](repeating: 0, count: max(width, height))
        for _ in 0..<3 {
            for y in 0..<height { smooth(&plane, from: y * width, step: 1, count: width, &line) }
        }
        for _ in 0..<3 {
            for x in 0..<width { smooth(&plane, from: x, step: width, count: height, &line) }
        }
        return plane
    }

    private func smooth(_ plane: inout [Float], from start: Int, step: Int, count: Int, _ line: inout [Double]) {
        plane.withUnsafeMutableBufferPointer { plane in
            line.withUnsafeMutableBufferPointer { line in
                for i in 0..<count { line[i] = Double(plane[start + i * step]) }
                let share = 1 / Double(2 * radius + 1)
                var sum = 0.0
                for i in 0..<min(radius, count) { sum += line[i] }
                for i in 0..<count {
                    if i + radius < count { sum += line[i + radius] }
                    if i - radius - 1 >= 0 { sum -= line[i - radius - 1] }
                    plane[start + i * step] = Float(sum * share)
                }
            }
        }
    }
}
