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
package struct BoxBlur {
    let width: Int
    let height: Int
    /// Half the window in pixels. Three windows of 2 r + 1 pixels have the variance r (r + 1).
    private let radius: Int

    package init(width: Int, height: Int, sigma: Double) {
        self.width = width
        self.height = height
        radius = max(1, Int(((sigma * sigma + 0.25).squareRoot() - 0.5).rounded()))
    }

    /// - Parameter plane: [height, width].
    package func applied(to plane: [Float]) -> [Float] {
        var across = transposed(plane, width: width, height: height)
        for _ in 0..<3 { across = meansOfColumns(across, width: height, height: width) }
        var down = transposed(across, width: height, height: width)
        for _ in 0..<3 { down = meansOfColumns(down, width: width, height: height) }
        return down
    }

    /// The running means of all columns, a row at a time: so the sums of neighbouring columns do not wait for each
    /// other, and each takes its terms from top to bottom.
    private func meansOfColumns(_ plane: [Float], width: Int, height: Int) -> [Float] {
        let share = 1 / Double(2 * radius + 1)
        var sums = [Double](repeating: 0, count: width)
        return [Float](unsafeUninitializedCapacity: plane.count) { means, count in
            plane.withUnsafeBufferPointer { plane in
                sums.withUnsafeMutableBufferPointer { sums in
                    guard let plane = plane.baseAddress, let means = means.baseAddress, let sums = sums.baseAddress
                    else { return }
                    func add(_ row: UnsafePointer<Float>) { for x in 0..<width { sums[x] += Double(row[x]) } }
                    func subtract(_ row: UnsafePointer<Float>) { for x in 0..<width { sums[x] -= Double(row[x]) } }
                    for y in 0..<min(radius, height) { add(plane + y * width) }
                    for y in 0..<height {
                        if y + radius < height { add(plane + (y + radius) * width) }
                        if y > radius { subtract(plane + (y - radius - 1) * width) }
                        let row = means + y * width
                        for x in 0..<width { row[x] = Float(sums[x] * share) }
                    }
                }
            }
            count = plane.count
        }
    }

    private func transposed(_ plane: [Float], width: Int, height: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: plane.count) { turned, count in
            plane.withUnsafeBufferPointer { plane in
                // In tiles that stay in the cache.
                for top in stride(from: 0, to: height, by: 16) {
                    for x in 0..<width {
                        for y in top..<min(top + 16, height) { turned[x * height + y] = plane[y * width + x] }
                    }
                }
            }
            count = plane.count
        }
    }
}
