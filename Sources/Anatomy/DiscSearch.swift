/// The optic discs of a picture: candidates whose outline is clear and which vessels leave.
enum DiscSearch {
    /// A disc's fall of light over its outline, and how much of the strongest disc's score another disc needs.
    private static let leastScore: Float = 0.02, relative: Float = 0.6
    /// The radii of discs as shares of the field of view's radius.
    private static let sizes: ClosedRange<Float> = 0.07...0.24

    /// The clearest first.
    static func discs(_ scene: EyeScene, bright: [Float], _ kinds: PixelClassifier) -> [DiscOutline] {
        let density = kinds.vessel.reduce(0, +) / Float(max(1, scene.area))
        var found: [(DiscOutline, Float)] = []
        for place in DiscCandidates(scene, bright: bright).places {
            // Blobs of neighbouring radii have the same outline.
            let isKnown = found.contains { known, _ in
                let d = known.center - place.center
                return (d * d).sum().squareRoot() < 0.3 * place.radius
                    && abs(known.terms.x - place.radius) < 0.25 * place.radius
            }
            if isKnown { continue }
            let outline = DiscOutline(scene, bright: bright, near: place.center, radius: place.radius)
            guard let outline, sizes.contains(outline.terms.x / scene.radius) else { continue }
            found.append((outline, score(outline, scene, kinds, density: density)))
        }
        found.sort { $0.1 > $1.1 }
        let least = max(leastScore, relative * (found.first?.1 ?? 0))
        var discs: [DiscOutline] = []
        for (outline, score) in found where score >= least {
            // Where this is the cup, the disc's own outline is around it.
            let outer = found.first { $0.0.hasCup(outline) }?.0 ?? outline
            let isNew = discs.allSatisfy { disc in
                let d = disc.center - outer.center
                return (d * d).sum().squareRoot() > 0.8 * (disc.terms.x + outer.terms.x)
            }
            if isNew { discs.append(outer) }
        }
        return discs
    }

    /// The fall of light, less where single angles do not show it, and more where many vessels cross the outline.
    private static func score(
        _ outline: DiscOutline, _ scene: EyeScene, _ kinds: PixelClassifier, density: Float
    ) -> Float {
        let side = EyeScene.side, reach = 2 * outline.terms.x
        func range(_ middle: Float) -> ClosedRange<Int> {
            let first = min(max(Int(middle - reach), 0), side - 1)
            return first...max(first, min(side - 1, Int(middle + reach)))
        }
        var vessels: Float = 0, count: Float = 0
        for y in range(outline.center.y) {
            for x in range(outline.center.x) where scene.inside[y * side + x] {
                let level = outline.level(SIMD2(Float(x) + 0.5, Float(y) + 0.5))
                if level > 0.9, level < 1.7 {
                    vessels += kinds.vessel[y * side + x]
                    count += 1
                }
            }
        }
        let around = vessels / max(count, 1) / max(density, 0.02)
        return outline.fall * outline.agreement * min(max(0.5 + 0.25 * around, 0.5), 1.1)
    }
}

extension DiscOutline {
    /// Whether `other` may be the cup in this disc.
    fileprivate func hasCup(_ other: DiscOutline) -> Bool {
        let d = center - other.center, distance = (d * d).sum().squareRoot()
        return terms.x > 1.35 * other.terms.x && terms.x < 2.6 * other.terms.x
            && distance + other.terms.x < 1.05 * terms.x && fall > 0.7 * other.fall && agreement > 0.7
    }
}
