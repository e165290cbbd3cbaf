import RetinalMatching

/// The macula that belongs to a disc: the darkest blob of the green channel at a usual distance from the disc, about
/// level with it. Vessels, lesions and the disc count for nothing.
enum Macula {
    /// The usual distance from the disc's centre, and by how much it varies, in disc diameters (Williams and Wilkinson,
    /// "Position of the fovea centralis with respect to the optic nerve head", Optometry and Vision Science 69(5),
    /// 1992, give 15.5 degrees; a disc has about 6.4).
    static let distance: Float = 2.45
    private static let deviation: Float = 0.5
    /// The least contrast: how much darker the blob is than its surroundings.
    private static let leastContrast: Float = 0.035

    /// In pixels of the scene; nil where nothing is dark enough.
    static func center(_ scene: EyeScene, _ disc: DiscOutline, _ kinds: PixelClassifier) -> SIMD2<Float>? {
        let side = EyeScene.side, diameter = disc.diameter
        var weight = [Float](repeating: 0, count: side * side)
        for i in weight.indices where scene.lit[i] {
            let point = SIMD2(Float(i % side) + 0.5, Float(i / side) + 0.5)
            if disc.level(point) < 1.3 { continue }
            weight[i] =
                max(0, 1 - 1.5 * kinds.vessel[i]) * max(0, 1 - 2 * kinds.bright[i])
                * max(0, 1 - 2 * kinds.dark[i]) + 1e-3
        }
        func mean(_ sigma: Float) -> [Float] {
            let blur = BoxBlur(width: side, height: side, sigma: Double(sigma))
            let sum = blur.applied(to: zip(scene.green, weight).map { $0 * $1 }), cover = blur.applied(to: weight)
            return zip(sum, cover).map { $0 / max($1, 1e-6) }
        }
        let narrow = mean(0.3 * diameter), wide = mean(1.2 * diameter)
        // Off the middle of the picture, a disc has its macula towards the middle.
        let offset = scene.middle.x - disc.center.x, isCentred = abs(offset) < 0.3 * scene.radius
        var best: SIMD2<Float>?, most = leastContrast
        for i in narrow.indices where scene.inside[i] {
            let point = SIMD2(Float(i % side) + 0.5, Float(i / side) + 0.5), d = point - disc.center
            let away = (d * d).sum().squareRoot() / diameter
            guard abs(away - distance) < 3 * deviation, abs(d.y) < 0.5 * abs(d.x), isCentred || d.x * offset > 0
            else { continue }
            let off = (away - distance) / deviation
            let score = (wide[i] - narrow[i]) / max(wide[i], 1) * (1 - 0.1 * off * off)
            if score > most { (most, best) = (score, point) }
        }
        return best.map {
            refined($0, within: 0.45 * diameter, fine: mean(0.18 * diameter), around: mean(0.7 * diameter))
        }
    }

    /// The centre of gravity of the darkest part around `start`: of what is more than half as dark as the darkest.
    private static func refined(
        _ start: SIMD2<Float>, within reach: Float, fine: [Float], around: [Float]
    ) -> SIMD2<Float> {
        let side = EyeScene.side
        let near = fine.indices.compactMap { i -> (point: SIMD2<Float>, depth: Float)? in
            let point = SIMD2(Float(i % side) + 0.5, Float(i / side) + 0.5), d = point - start
            return (d * d).sum() < reach * reach ? (point, around[i] - fine[i]) : nil
        }
        let deepest = near.map(\.depth).max() ?? 0
        var sum = SIMD2<Float>(), total: Float = 0
        for (point, depth) in near where depth > deepest / 2 {
            sum += point * (depth - deepest / 2)
            total += depth - deepest / 2
        }
        return total > 0 ? sum / total : start
    }
}
