import Foundation

/// Grows the vessels of an eye: main vessels along their courses, and branches that divide by Murray's law (r0^3 = r1^3
/// + r2^3; Murray 1926). The widest branches grow first, so that twigs fill the space that wide vessels leave.
package struct PhantomVesselTree {
    /// The distance between two points of a vessel, in disc radii.
    package static let step: Float = 0.1
    /// The half width below which vessels end.
    package static let thinnest: Float = 0.017

    /// A branch that has not grown yet.
    private struct Bud {
        let kind: PhantomVessel.Kind
        let start: PhantomPoint
        let heading: Float
        let radius: Float
        let parent: Int32
        let generation: Int
    }

    private var vessels: [PhantomVessel] = []
    private var buds: [Bud] = []
    private var random: PhantomRandom
    private var space = Space()
    private let disc: PhantomEllipse

    package static func grow(disc: PhantomEllipse, random: PhantomRandom) -> [PhantomVessel] {
        var tree = PhantomVesselTree(disc: disc, random: random)
        for course in PhantomCourse.all(disc: disc, random: &tree.random) { tree.follow(course) }
        while tree.vessels.count < 400,
            let widest = tree.buds.indices.max(by: { tree.buds[$0].radius < tree.buds[$1].radius })
        {
            tree.sprout(tree.buds.remove(at: widest))
        }
        return tree.vessels
    }

    private init(disc: PhantomEllipse, random: PhantomRandom) {
        self.disc = disc
        self.random = random
    }

    /// Draws a main vessel, with buds on alternating sides.
    private mutating func follow(_ course: PhantomCourse) {
        let id = Int32(vessels.count)
        var radius = course.radius
        var radii: [Float] = []
        var side = random.sign()
        var untilBud = random.uniform(1.2...2.2)
        var end = course.points.count
        for (i, point) in course.points.enumerated() {
            // The vessel rises out of the cup, so it is thinner at its start.
            radii.append(radius * min(0.5 + 0.1 * Float(i), 1))
            space.take(point, by: id, course.kind)
            radius *= 1 - 0.012 * Self.step
            untilBud -= Self.step
            if untilBud < 0, i + 1 < course.points.count {
                let ahead = course.points[i + 1] - point
                let share = random.uniform(0.42...0.74)
                let angle = Self.angles(share).branch
                buds.append(
                    Bud(
                        kind: course.kind, start: point, heading: atan2(ahead.y, ahead.x) + side * angle,
                        radius: radius * share, parent: id, generation: 1))
                radius *= Self.rest(share)
                side = random.chance(0.8) ? -side : side
                untilBud = random.uniform(0.6...2)
            }
            if radius < Self.thinnest { end = i + 1; break }
        }
        append(course.kind, Array(course.points[..<end]), radii)
    }

    /// Draws a branch. Its heading wanders, bends towards the part of the retina that it supplies, and keeps away from
    /// vessels of its kind.
    private mutating func sprout(_ bud: Bud) {
        let id = Int32(vessels.count)
        var point = bud.start, heading = bud.heading, radius = bud.radius
        var points = [point], radii = [radius]
        var bend: Float = 0
        var side = random.sign()
        let aim = random.normal(0.45), wander = random.uniform(0.7...1.7)
        let avascular = random.uniform(0.5...1.0)
        var untilBud = radius * random.uniform(14...34)
        let reach = 1.2 + radius * random.uniform(40...70)
        for i in 1...Int(reach / Self.step) {
            bend += (-bend * 0.25 + random.normal(wander)) * 0.5
            let target = flow(point, heading) + aim
            heading += (bend * 0.55 + wrapped(target - heading) * 0.35) * Self.step
            heading += space.turnAway(from: point, heading, kind: bud.kind, own: id, parent: i < 8 ? bud.parent : -1)
            point += direction(heading) * Self.step
            if length(point) < avascular || length(point) > 11 || disc.level(point) < 0.9 { break }
            if space.isTaken(point, bud.kind, own: id, parent: i < 8 ? bud.parent : -1) { break }
            points.append(point)
            radii.append(radius)
            space.take(point, by: id, bud.kind)
            radius *= 1 - 0.05 * Self.step
            untilBud -= Self.step
            if untilBud < 0 {
                let share = random.uniform(0.5...0.82)
                let angles = Self.angles(share)
                if radius * share > Self.thinnest, bud.generation < 6 {
                    buds.append(
                        Bud(
                            kind: bud.kind, start: point, heading: heading + side * angles.branch,
                            radius: radius * share, parent: id, generation: bud.generation + 1))
                    radius *= Self.rest(share)
                    heading -= side * angles.main
                }
                side = random.chance(0.75) ? -side : side
                untilBud = radius * random.uniform(14...36)
            }
            if radius < Self.thinnest { break }
        }
        // Shorter branches look like thorns.
        guard points.count > 5 else { return }
        for i in radii.indices {
            let left = Float(radii.count - 1 - i) / (0.4 * Float(radii.count))
            radii[i] *= 0.55 + 0.45 * min(left, 1)
        }
        append(bud.kind, points, radii)
    }

    private mutating func append(_ kind: PhantomVessel.Kind, _ points: [PhantomPoint], _ radii: [Float]) {
        vessels.append(PhantomVessel(kind: kind, points: points, radii: radii))
    }

    /// The direction of vessels at `point`, in radians: towards the fovea between the arcades, and elsewhere away from
    /// disc and fovea.
    private func flow(_ point: PhantomPoint, _ heading: Float) -> Float {
        let fromDisc = point - disc.center
        let isWithin = abs(point.y) < 3.9 && point.x < disc.center.x - 0.8 && point.x > -4.2
        if isWithin { return atan2(-point.y, -point.x) }
        let away = point - PhantomPoint(disc.center.x * 0.45, 0)
        let outward = atan2(away.y, away.x) + 0.3 * wrapped(atan2(fromDisc.y, fromDisc.x) - atan2(away.y, away.x))
        return outward
    }

    /// The radius of a vessel after a branch with `share` of its radius has left it, divided by the radius before.
    package static func rest(_ share: Float) -> Float { cbrt(1 - share * share * share) }

    /// The angles of least work at a division, in radians (Murray 1926): that of the vessel that goes on, and that of
    /// the branch.
    package static func angles(_ share: Float) -> (main: Float, branch: Float) {
        let main = rest(share)
        let (m2, b2) = (main * main, share * share)
        let cosMain = (1 + m2 * m2 - b2 * b2) / (2 * m2)
        let cosBranch = (1 + b2 * b2 - m2 * m2) / (2 * b2)
        return (acos(min(max(cosMain, -1), 1)), acos(min(max(cosBranch, -1), 1)))
    }

    /// Which vessel passes through each cell of 0.14 disc radii. Arteries and veins have separate cells, because they
    /// may cross.
    private struct Space {
        private static let cell: Float = 0.14, half = 84
        private var owners = [Int32](repeating: -1, count: 2 * (2 * 84) * (2 * 84))

        private func index(_ point: PhantomPoint, _ kind: PhantomVessel.Kind) -> Int? {
            let x = Int((point.x / Self.cell).rounded(.down)) + Self.half
            let y = Int((point.y / Self.cell).rounded(.down)) + Self.half
            guard x >= 0, y >= 0, x < 2 * Self.half, y < 2 * Self.half else { return nil }
            return (kind.rawValue * 2 * Self.half + y) * 2 * Self.half + x
        }

        mutating func take(_ point: PhantomPoint, by id: Int32, _ kind: PhantomVessel.Kind) {
            if let i = index(point, kind), owners[i] < 0 { owners[i] = id }
        }

        /// Whether a vessel of the same kind passes here that is neither `own` nor `parent`.
        func isTaken(_ point: PhantomPoint, _ kind: PhantomVessel.Kind, own: Int32, parent: Int32) -> Bool {
            guard let i = index(point, kind) else { return false }
            let owner = owners[i]
            return owner >= 0 && owner != own && owner != parent
        }

        /// The angle in radians to turn, to avoid a vessel of the same kind.
        func turnAway(
            from point: PhantomPoint, _ heading: Float, kind: PhantomVessel.Kind, own: Int32, parent: Int32
        ) -> Float {
            var turn: Float = 0
            for angle: Float in [-0.5, 0.5] {
                for distance: Float in [0.25, 0.45] {
                    let probe = point + direction(heading + angle) * distance
                    if isTaken(probe, kind, own: own, parent: parent) { turn -= angle * 0.22 }
                }
            }
            return turn
        }
    }
}
