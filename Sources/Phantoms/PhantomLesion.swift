import Foundation

/// One lesion of diabetic retinopathy, in disc radii in the eye's frame.
public struct PhantomLesion: Hashable, Sendable {
    /// The kinds of lesions that phantoms have.
    public enum Kind: String, Sendable, CaseIterable {
        case microaneurysm, haemorrhage, hardExudate, cottonWoolSpot
        /// A tangle of new vessels; `paths` holds the vessels.
        case neovascularisation
        case preretinalHaemorrhage
    }

    public let kind: Kind
    public let center: PhantomPoint
    /// The mean half width.
    public let radius: Float
    /// The length divided by the width.
    public let aspect: Float
    /// The direction of the length in radians, clockwise in the picture of a right eye.
    public let angle: Float
    /// How the outline differs from an ellipse: amplitudes (as shares of the radius) and phases of the harmonics 2 to
    /// 5.
    let lobes: SIMD4<Float>, phases: SIMD4<Float>
    /// The strength of the lesion's colour, up to 1; old and deep lesions are paler.
    let strength: Float
    /// The courses of new vessels; empty for all other kinds.
    public let paths: [PhantomVessel]

    /// How many lesions of each kind an eye of a grade has. The ranges of the total do not overlap between grades, so
    /// the count always rises with the grade (ICDR: 1 has only microaneurysms, 2 has more than that, 3 has many
    /// haemorrhages in all quadrants, 4 has new vessels or a preretinal haemorrhage).
    struct Plan {
        var microaneurysms = 0...0
        var haemorrhages = 0...0
        var exudateClusters = 0...0
        var exudatesInCluster = 6...14
        var cottonWoolSpots = 0...0
        var newVessels = 0...0

        static func of(grade: Int) -> Plan {
            switch grade {
            case 1: Plan(microaneurysms: 5...10)
            case 2: Plan(microaneurysms: 10...16, haemorrhages: 5...11, exudateClusters: 0...1, cottonWoolSpots: 0...1)
            case 3:
                Plan(
                    microaneurysms: 18...26, haemorrhages: 22...34, exudateClusters: 1...2, exudatesInCluster: 6...16,
                    cottonWoolSpots: 2...4)
            case 4:
                Plan(
                    microaneurysms: 28...36, haemorrhages: 34...46, exudateClusters: 3...4, exudatesInCluster: 14...24,
                    cottonWoolSpots: 2...6, newVessels: 2...4)
            default: Plan()
            }
        }
    }

    static func draw(
        grade: Int, disc: PhantomEllipse, vessels: [PhantomVessel], random start: PhantomRandom
    ) -> [PhantomLesion] {
        var random = start
        let plan = Plan.of(grade: grade)
        var lesions: [PhantomLesion] = []
        for _ in 0..<random.integer(plan.microaneurysms) {
            lesions.append(
                PhantomLesion(
                    .microaneurysm, at: place(disc, &random), radius: random.uniform(0.035...0.06), lobe: 0.1,
                    random: &random))
        }
        for index in 0..<random.integer(plan.haemorrhages) {
            let quadrant = index % 4
            let center = place(disc, quadrant: quadrant, &random)
            let isFlame = random.chance(0.35)
            // Flame haemorrhages lie along the nerve fibres, which run from the disc.
            let along = atan2(center.y - disc.center.y, center.x - disc.center.x) + random.normal(0.25)
            let radius = 0.07 + 0.2 * pow(random.uniform(), 2.2)
            lesions.append(
                PhantomLesion(
                    .haemorrhage, at: center, radius: radius,
                    aspect: isFlame ? random.uniform(1.8...3) : random.uniform(1...1.5),
                    angle: isFlame ? along : random.uniform(0...3.14), lobe: 0.16, random: &random))
        }
        for _ in 0..<random.integer(plan.exudateClusters) {
            addExudates(plan.exudatesInCluster, disc, to: &lesions, &random)
        }
        for _ in 0..<random.integer(plan.cottonWoolSpots) {
            let reach = random.uniform(1.6...4.2), around = random.uniform(-2.6...2.6)
            let center = disc.center - direction(around) * reach
            let along = atan2(center.y - disc.center.y, center.x - disc.center.x)
            lesions.append(
                PhantomLesion(
                    .cottonWoolSpot, at: center, radius: random.uniform(0.16...0.32), aspect: random.uniform(1.1...1.7),
                    angle: along + 1.57 + random.normal(0.4), lobe: 0.22, random: &random))
        }
        let tangles = random.integer(plan.newVessels)
        for index in 0..<tangles {
            let base =
                index == 0 && random.chance(0.4)
                ? disc.center + direction(random.uniform(0...6.28)) * 0.8 : pointOnArcade(vessels, &random)
            lesions.append(tangle(at: base, &random))
        }
        if tangles > 0, random.chance(0.65) {
            // Blood in front of the retina settles into a boat with a level top; here it is a flat ellipse.
            let center = direction(random.uniform(0.3...2.8)) * random.uniform(2...4.2)
            lesions.append(
                PhantomLesion(
                    .preretinalHaemorrhage, at: center, radius: random.uniform(0.5...0.95),
                    aspect: random.uniform(1.5...2.4),
                    angle: random.normal(0.15), lobe: 0.14, random: &random))
        }
        return lesions
    }

    private init(
        _ kind: Kind, at center: PhantomPoint, radius: Float, aspect: Float = 1, angle: Float = 0, lobe: Float,
        paths: [PhantomVessel] = [], random: inout PhantomRandom
    ) {
        self.kind = kind
        self.center = center
        self.radius = radius
        self.aspect = aspect
        self.angle = angle
        self.paths = paths
        strength = random.uniform(0.6...1)
        var lobes = SIMD4<Float>(), phases = SIMD4<Float>()
        for i in 0..<4 {
            lobes[i] = random.normal(lobe) / Float(i + 1).squareRoot()
            phases[i] = random.uniform(0...6.28)
        }
        self.lobes = lobes
        self.phases = phases
    }

    /// A point within sight, outside the disc and not at the fovea itself; in one quadrant about the fovea if
    /// `quadrant` is given.
    private static func place(_ disc: PhantomEllipse, quadrant: Int? = nil, _ random: inout PhantomRandom)
        -> PhantomPoint
    {
        for _ in 0..<20 {
            let distance = 0.7 + 4.9 * random.uniform().squareRoot()
            let turn = quadrant.map { (Float($0) + random.uniform()) * .pi / 2 } ?? random.uniform(0...6.2832)
            let point = direction(turn) * distance
            if disc.level(point) > 1.35 { return point }
        }
        return PhantomPoint(-2, 1)
    }

    /// Adds hard exudates, in a patch or in a ring around a leak.
    private static func addExudates(
        _ count: ClosedRange<Int>, _ disc: PhantomEllipse, to lesions: inout [PhantomLesion],
        _ random: inout PhantomRandom
    ) {
        let middle = direction(random.uniform(0...6.2832)) * random.uniform(0.7...3.4)
        let isRing = random.chance(0.45), spread = random.uniform(0.35...0.8)
        for _ in 0..<random.integer(count) {
            let turn = random.uniform(0...6.2832)
            let distance = isRing ? spread * (1 + random.normal(0.14)) : spread * abs(random.normal(0.6))
            let point = middle + direction(turn) * distance
            let center = disc.level(point) > 1.2 ? point : middle * 0.6 - PhantomPoint(0.5, 0)
            lesions.append(
                PhantomLesion(
                    .hardExudate, at: center, radius: 0.035 + 0.1 * pow(random.uniform(), 2),
                    aspect: random.uniform(1...1.6),
                    angle: random.uniform(0...3.14), lobe: 0.2, random: &random))
        }
    }

    private static func pointOnArcade(_ vessels: [PhantomVessel], _ random: inout PhantomRandom) -> PhantomPoint {
        let veins = vessels.filter { $0.kind == .vein && $0.points.count > 60 }
        guard !veins.isEmpty else { return PhantomPoint(2, 3) }
        let points = veins[random.integer(0...veins.count - 1)].points
        return points[random.integer(20...min(70, points.count - 1))]
    }

    /// A tangle of new vessels: curls that start at one point and stay near it.
    private static func tangle(at base: PhantomPoint, _ random: inout PhantomRandom) -> PhantomLesion {
        let size = random.uniform(0.45...0.85)
        let lean = random.uniform(0...6.2832)
        let middle = base + direction(lean) * (size * 0.5)
        var paths: [PhantomVessel] = []
        for _ in 0..<random.integer(7...11) {
            var point = base + PhantomPoint(random.normal(0.08), random.normal(0.08))
            var heading = lean + random.normal(0.9)
            var curl = random.normal(2.5)
            var points = [point]
            for _ in 0..<random.integer(18...38) {
                curl += random.normal(1.6)
                curl *= 0.9
                let away = point - middle
                let home = atan2(-away.y, -away.x)
                let pull = max(0, length(away) / size - 0.6)
                heading += curl * 0.05 + wrapped(home - heading) * min(pull, 1) * 0.3
                point += direction(heading) * 0.05
                points.append(point)
            }
            let radius = random.uniform(0.017...0.028)
            paths.append(PhantomVessel(kind: .vein, points: points, radii: points.map { _ in radius }))
        }
        return PhantomLesion(.neovascularisation, at: middle, radius: size, lobe: 0, paths: paths, random: &random)
    }

    /// 0 at the centre and 1 on the outline; it grows linearly outwards along each ray.
    package func level(_ point: PhantomPoint) -> Float {
        let d = point - center
        let (c, s) = (cos(angle), sin(angle))
        let q = PhantomPoint((d.x * c + d.y * s) / aspect.squareRoot(), (d.y * c - d.x * s) * aspect.squareRoot())
        let turn = atan2(q.y, q.x)
        var outline: Float = 1
        for i in 0..<4 { outline += lobes[i] * cos(Float(i + 2) * turn + phases[i]) }
        return length(q) / (radius * max(outline, 0.3))
    }
}
