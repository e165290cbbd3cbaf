import Pictures

/// The green channel, in which blood is darkest, freed of illumination and contrast.
enum FlatField {
    /// Deviation of the background's Gaussian as a share of the picture's longer side.
    private static let reach = 0.06
    /// Contrast below this (of 255) is noise and is not brought up to 1.
    private static let leastContrast: Float = 0.25

    /// (local mean - green) / local deviation, both over the field of view alone: dark vessels are positive. 0 outside,
    /// which is the local mean, so that the rim does not answer to a filter of zero mean. [height, width]
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

/// A Gaussian as three running means (Wells, "Efficient synthesis of Gaussian filters by cascaded uniform filters",
/// IEEE PAMI 8(2), 1986); what lies beyond the picture counts as 0.
struct BoxBlur {
    let width: Int
    let height: Int
    /// Half the window, in pixels: three windows of 2 r + 1 have the variance r (r + 1).
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
