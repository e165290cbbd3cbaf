import Pictures

/// What was found in a picture, in pixels of the scene: all measures are made from it, and overlays.
package struct EyeFindings: Sendable {
    package let scene: EyeScene
    package let kinds: PixelClassifier
    /// The discs, the clearest first.
    let discs: [DiscOutline]
    /// The centre of the macula that belongs to the first disc.
    package let macula: SIMD2<Float>?
    private let cup: OpticCup.Circle?

    /// A tenth of the scene: where less is lit, nothing is measured. In pixels.
    private static let leastArea = EyeScene.side * EyeScene.side / 10

    /// nil where less is lit.
    package init?(_ picture: Picture) {
        let scene = EyeScene(picture)
        guard scene.area >= Self.leastArea else { return nil }
        self.scene = scene
        let kinds = PixelClassifier(PixelFeatures(scene), pixels: scene.inside.count)
        let plain = WithoutVessels(scene, kinds)
        self.kinds = kinds
        let discs = DiscSearch.discs(scene, bright: plain.bright, kinds)
        self.discs = discs
        cup = discs.first.flatMap { OpticCup.circle($0, light: plain.green, vessel: kinds.vessel) }
        macula = discs.first.flatMap { Macula.center(scene, $0, kinds) }
    }

    /// The cup's vertical diameter divided by that of the disc; nil where no cup was found.
    var cupToDisc: Double? { cup.map { Double($0.ratio) } }

    /// 1 for a right eye, in which the disc lies to the right of the macula, and -1 for a left eye; nil where neither
    /// the macula nor the disc's place says it.
    var laterality: Double? {
        guard let disc = discs.first else { return nil }
        if let macula { return disc.center.x > macula.x ? 1 : -1 }
        let offset = (disc.center.x - scene.middle.x) / scene.radius
        return abs(offset) > 0.3 ? (offset > 0 ? 1 : -1) : nil
    }

    /// 1.5 distances from disc to macula, from where on the retina counts as periphery.
    var peripheryRadius: Float? {
        guard let disc = discs.first else { return nil }
        let distance = macula.map { m in ((m - disc.center) * (m - disc.center)).sum().squareRoot() }
        return 1.5 * (distance ?? Macula.distance * disc.diameter)
    }

    /// The share of the field of view that vessels cover.
    var vesselDensity: Double { kinds.vessel.reduce(0.0) { $0 + Double($1) } / Double(scene.area) }

    /// [side, side]
    package var vessels: [Bool] { kinds.vessel.map { $0 > 0.45 } }
    package var brightLesions: [Bool] { lesions(kinds.bright) }
    package var darkLesions: [Bool] { lesions(kinds.dark) }

    /// Pixels that are more likely a lesion than not, without the discs and their edge.
    private func lesions(_ share: [Float]) -> [Bool] {
        let side = EyeScene.side
        return share.indices.map { i in
            guard share[i] > 0.5 else { return false }
            let point = SIMD2(Float(i % side) + 0.5, Float(i / side) + 0.5)
            return !discs.contains { $0.level(point) < 1.2 }
        }
    }

    /// Where one structure is, [side, side]: from 0 for nowhere to 255 where it is certain.
    func map(_ structure: EyeStructure) -> [UInt8] {
        switch structure {
        case .vessels: kinds.vessel.map { UInt8((255 * min(1, max(0, $0))).rounded()) }
        case .opticDisc: region { point in discs.first.map { $0.level(point) <= 1 } ?? false }
        case .opticCup:
            region { point in
                if let disc = discs.first, let cup {
                    disc.level(point) <= 1 && cup.contains(point, in: disc)
                } else {
                    false
                }
            }
        case .macula:
            region { point in
                guard let macula, let disc = discs.first else { return false }
                let d = (point - macula) / (EyeStructure.maculaRadius * disc.diameter)
                return (d * d).sum() <= 1
            }
        case .brightLesions: brightLesions.map { $0 ? 255 : 0 }
        case .darkLesions: darkLesions.map { $0 ? 255 : 0 }
        }
    }

    /// The pixels inside the field of view in which a condition holds.
    private func region(_ holds: (SIMD2<Float>) -> Bool) -> [UInt8] {
        let side = EyeScene.side
        return scene.lit.indices.map { i in
            scene.lit[i] && holds(SIMD2(Float(i % side) + 0.5, Float(i / side) + 0.5)) ? 255 : 0
        }
    }
}
