import Foundation

/// Colours and textures of one eye's retina, before light and camera. Colours are shares of full scale, as displayed.
struct PhantomSurface: Sendable {
    let background: SIMD3<Float>
    let disc: SIMD3<Float>
    let cup: SIMD3<Float>
    /// The share of red, green and blue that remains behind a blood column of full width.
    let blood: SIMD3<Float>
    /// How strongly the choroid's vessels are visible, 0 to 1.
    let tessellation: Float
    /// The share of light that the macula's pigment absorbs, and the additional share that the fovea's pigment absorbs.
    let macula: Float, fovea: Float
    let maculaWidth: Float
    /// The sheen of the nerve fibres around the disc; it is stronger in young people.
    let sheen: Float
    /// The brightness of the foveal pit's reflection.
    let reflex: Float
    /// The width of the pale crescent on the temporal side of the disc, in disc radii.
    let crescent: Float
    let mottling: PhantomNoise, choroid: PhantomNoise, fibres: PhantomNoise

    init(_ patient: PhantomPatient, random start: PhantomRandom) {
        var random = start
        func mix(_ a: SIMD3<Float>, _ b: SIMD3<Float>, _ t: Float) -> SIMD3<Float> { a + (b - a) * t }
        let dark = patient.pigmentation
        let hue = random.normal(1)
        let pale = SIMD3<Float>(0.88, 0.48, 0.18), middle = SIMD3<Float>(0.74, 0.365, 0.115),
            deep = SIMD3<Float>(0.57, 0.255, 0.07)
        var colour = dark < 0.5 ? mix(pale, middle, dark * 2) : mix(middle, deep, dark * 2 - 1)
        colour *= SIMD3(1, 1 + 0.07 * hue, 1 + 0.14 * hue)
        background = colour
        disc = SIMD3(1.05, 0.68 + random.normal(0.03), 0.34 + random.normal(0.04)) * (1.04 - 0.1 * dark)
        cup = SIMD3(1.12, 0.84 + random.normal(0.03), 0.48 + random.normal(0.05)) * (1.04 - 0.06 * dark)
        blood = SIMD3(0.79 + random.normal(0.025), 0.47 + random.normal(0.035), 0.58)
        let age = Float(patient.age)
        tessellation = min(max(0.75 * abs(random.normal(0.6)) - 0.05 + (age - 50) / 250, 0), 1)
        macula = random.uniform(0.22...0.42)
        fovea = random.uniform(0.12...0.3)
        maculaWidth = random.uniform(0.95...1.4)
        sheen = max(0, (65 - age) / 65) * random.uniform(0.05...0.16) + 0.04
        reflex = age < 45 && random.chance(0.6) ? random.uniform(0.1...0.3) : 0
        crescent = random.chance(0.35) ? random.uniform(0.1...0.3) : 0
        mottling = PhantomNoise(key: random.next())
        choroid = PhantomNoise(key: random.next())
        fibres = PhantomNoise(key: random.next())
    }

    /// The retina's colour at `point` of `eye`, without vessels and lesions.
    /// - Parameter pixel: the disc radii in one pixel. Edges are at least that soft, and finer texture is left out.
    func colour(_ point: PhantomPoint, of eye: PhantomEye, pixel: Float) -> SIMD3<Float> {
        let fromFovea = length(point)
        let offDisc = point - eye.opticDisc.center
        let fromDisc = length(offDisc)
        let discLevel = eye.opticDisc.level(point)
        var colour = background

        let central = exp(-fromFovea * fromFovea / (2 * maculaWidth * maculaWidth))
        let broad = mottling.octaves(point.x * 0.22, point.y * 0.22, count: 3, finest: pixel * 0.44)
        let fine = mottling.octaves(point.x * 1.7 + 31, point.y * 1.7, count: 4, gain: 0.62, finest: pixel * 3.4)
        let grain: Float = 1 + 0.035 * fine
        colour *= grain + Self.broadTint * broad
        colour *= ribbons(point, fromFovea, pixel)

        // Macular pigment absorbs blue and green most.
        let pit = exp(-fromFovea * fromFovea / (2 * 0.36 * 0.36))
        let taken: SIMD3<Float> = Self.macularPigment * (macula * central) + Self.fovealPigment * (fovea * pit)
        colour *= 1 - taken
        if reflex > 0 {
            let spot = exp(-fromFovea * fromFovea / (2 * 0.1 * 0.1))
            colour += Self.reflexColour * (reflex * spot)
        }

        // Nerve fibres are a haze with streaks, strongest above and below the disc.
        let turn = atan2(offDisc.y, offDisc.x)
        let streak = fibres.value(turn * (48 / (2 * .pi)), fromDisc * 0.35, periodX: 48)
        let arc = 0.35 + 0.65 * abs(offDisc.y) / max(fromDisc, 0.3)
        let resolved: Float = min(max(2 - 24 * pixel, 0), 1)
        let haze: Float = sheen * exp(-max(0, fromDisc - 1) / 1.5) * arc * (1 + 0.9 * streak * resolved)
        colour += Self.hazeColour * haze
        let glow: Float = 1 + 0.16 * exp(-max(0, fromDisc - 1) / 1.1)
        colour *= glow

        guard discLevel < 1.8 else { return colour }
        if crescent > 0 {
            let side = max(0, -offDisc.x / max(fromDisc, 0.1))
            let rim = edge(1 + crescent * side, discLevel, softness: 0.08 + pixel)
            colour += (Self.crescentColour - colour) * (0.5 * rim)
        }
        let isDisc = edge(1, discLevel, softness: 0.09 + pixel)
        let isCup = edge(1, eye.opticCup.level(point), softness: 0.3 + pixel / eye.cupToDisc)
        // The nasal rim is pinker and a little darker than the temporal one.
        let nasal = min(max(offDisc.x, -1), 1)
        var head: SIMD3<Float> = disc * (1 - Self.nasalTint * nasal)
        head *= 1 + 0.05 * fine
        head += (cup - head) * (isCup * 0.9)
        return colour + (head - colour) * isDisc
    }

    /// 1 below `limit` and 0 above it, with a smooth edge of width `softness`.
    private func edge(_ limit: Float, _ level: Float, softness: Float) -> Float {
        let t = min(max((limit - level) / softness + 0.5, 0), 1)
        return t * t * (3 - 2 * t)
    }

    /// The choroid's vessels: light ribbons that run outwards, with darker ground between them. They fade in the
    /// macula.
    private func ribbons(_ point: PhantomPoint, _ fromFovea: Float, _ pixel: Float) -> SIMD3<Float> {
        let strength = tessellation * (1 - 0.9 * exp(-fromFovea * fromFovea / 7))
        guard strength > 0.02 else { return SIMD3(repeating: 1) }
        let d = point - PhantomPoint(2.2, 0)
        let distance = length(d) + 0.6
        let warpX = choroid.value(point.x * 0.4, point.y * 0.4)
        let warpY = choroid.value(point.x * 0.4 + 17, point.y * 0.4 + 5)
        let turn = atan2(d.y + warpY * 0.8, d.x + warpX * 0.8) * (64 / (2 * .pi))
        let along = log(distance) * 2.6 + warpX * 1.5
        let ridge = 0.42 - abs(choroid.value(turn, along, periodX: 64)) * 2
        let patch = 0.75 + 0.5 * warpY
        let t = strength * ridge * patch * min(max(1.6 - 5 * pixel, 0.25), 1)
        return 1 + Self.ribbonTint * t
    }

    private static let broadTint = SIMD3<Float>(0.05, 0.10, 0.16)
    private static let macularPigment = SIMD3<Float>(0.62, 0.95, 0.9)
    private static let fovealPigment = SIMD3<Float>(0.3, 0.75, 0.6)
    private static let reflexColour = SIMD3<Float>(0.9, 0.8, 0.6)
    private static let hazeColour = SIMD3<Float>(0.30, 0.55, 0.45)
    private static let crescentColour = SIMD3<Float>(0.86, 0.56, 0.30)
    private static let nasalTint = SIMD3<Float>(0.03, 0.10, 0.12)
    private static let ribbonTint = SIMD3<Float>(0.16, 0.34, 0.30)
}
