import Foundation

/// One vessel of the retina: a polyline with a radius at each point, in disc radii in the eye's frame.
public struct PhantomVessel: Hashable, Sendable {
    public enum Kind: Int, Sendable {
        case artery, vein
    }

    public let kind: Kind
    public internal(set) var points: [PhantomPoint]
    /// Half widths.
    public internal(set) var radii: [Float]
}

/// The course of a main vessel from the disc: a smooth curve through points that vary between eyes.
struct PhantomCourse {
    let kind: PhantomVessel.Kind
    /// The half width at the disc.
    let radius: Float
    /// Points along the course, `PhantomVesselTree.step` apart.
    var points: [PhantomPoint]

    /// The courses of all main vessels: pairs of an artery and a vein in the four quadrants, and twigs from the disc to
    /// the macula.
    static func all(disc: PhantomEllipse, random: inout PhantomRandom) -> [PhantomCourse] {
        let d = disc.center
        var courses: [PhantomCourse] = []
        for side: Float in [-1, 1] {
            let height = 4.15 + random.normal(0.45), bend = random.normal(0.25)
            let temporal = [
                d + PhantomPoint(0.12, side * 0.03), d + PhantomPoint(-0.02, side * 1.15),
                d + PhantomPoint(-0.5 + bend, side * 2.2), PhantomPoint(d.x - 2 + bend, side * 3.35),
                PhantomPoint(0.5, side * height), PhantomPoint(-3.4, side * (height + 0.2 + random.normal(0.5))),
                PhantomPoint(-7, side * (height - 0.5 + random.normal(0.6))), PhantomPoint(-11, side * (height - 1.2)),
            ]
            let fan = random.normal(0.35)
            let nasal = [
                d + PhantomPoint(0.17, side * 0.03), d + PhantomPoint(0.55, side * 1.0),
                d + PhantomPoint(1.7, side * (2.1 + fan)), d + PhantomPoint(3.4, side * (3.3 + 1.5 * fan)),
                d + PhantomPoint(6.5, side * (4.8 + 2 * fan)),
            ]
            let apart = random.sign() * random.uniform(0.14...0.24)
            for kind in [PhantomVessel.Kind.vein, .artery] {
                let shift = kind == .vein ? apart : -apart
                let caliber: Float = kind == .vein ? 0.088 : 0.066
                courses.append(
                    PhantomCourse(
                        kind: kind, radius: caliber * random.uniform(0.88...1.12),
                        through: temporal, shift: shift, spread: 0.32, random: &random))
                courses.append(
                    PhantomCourse(
                        kind: kind, radius: caliber * random.uniform(0.5...0.72),
                        through: nasal, shift: shift * 1.2, spread: 0.3, random: &random))
            }
        }
        for index in 0..<random.integer(2...4) {
            let side: Float = index % 2 == 0 ? -1 : 1
            let twig = [
                d + PhantomPoint(-0.3, side * 0.1), d + PhantomPoint(-1.1, side * random.uniform(0.3...0.8)),
                d + PhantomPoint(-2.4, side * random.uniform(0.6...1.5)),
                PhantomPoint(1.4, side * random.uniform(0.7...1.6)),
            ]
            courses.append(
                PhantomCourse(
                    kind: random.chance(0.5) ? .artery : .vein, radius: random.uniform(0.024...0.036),
                    through: twig, shift: 0, spread: 0.1, random: &random))
        }
        return courses
    }

    /// - Parameters:
    ///   - shift: disc radii by which the course is moved to its right.
    ///   - spread: the deviation of each control point; it grows from 0 at the disc.
    private init(
        kind: PhantomVessel.Kind, radius: Float, through controls: [PhantomPoint], shift: Float, spread: Float,
        random: inout PhantomRandom
    ) {
        self.kind = kind
        self.radius = radius
        var moved = controls
        for i in controls.indices {
            let ahead = controls[min(i + 1, controls.count - 1)] - controls[max(i - 1, 0)]
            let normal = PhantomPoint(-ahead.y, ahead.x) / max(length(ahead), 1e-3)
            let share = min(Float(i) / 2, 1)
            moved[i] +=
                normal * (shift * (0.5 + share)) + PhantomPoint(random.normal(), random.normal()) * (spread * share)
        }
        points = Self.spaced(Self.spline(moved), by: PhantomVesselTree.step)
        // Tortuosity: a sideways wave of random wavelength, which is 0 at the disc.
        let noise = PhantomNoise(key: random.next())
        let wave = random.uniform(0.8...1.6), amplitude = wave * random.uniform(0.1...0.27)
        let straight = points
        for i in points.indices where i > 0 && i < points.count - 1 {
            let ahead = straight[i + 1] - straight[i - 1]
            let normal = PhantomPoint(-ahead.y, ahead.x) / max(length(ahead), 1e-3)
            let way = Float(i) * PhantomVesselTree.step
            points[i] +=
                normal
                * (noise.octaves(way / wave, 0.5, count: 2, gain: 0.35) * amplitude * min(max(way - 0.6, 0) / 2, 1))
        }
        points = Self.spaced(points, by: PhantomVesselTree.step)
    }

    /// A Catmull-Rom spline through `controls`, with twenty points from each control point to the next.
    private static func spline(_ controls: [PhantomPoint]) -> [PhantomPoint] {
        var points = [controls[0]]
        for i in 0..<controls.count - 1 {
            let p1 = controls[i], p2 = controls[i + 1]
            let p0 = i > 0 ? controls[i - 1] : p1 + (p1 - p2)
            let p3 = i + 2 < controls.count ? controls[i + 2] : p2 + (p2 - p1)
            for k in 1...20 {
                let t = Float(k) / 20
                let a: PhantomPoint = (p2 - p0) * t
                let b: PhantomPoint = (p0 * 2 - p1 * 5 + p2 * 4 - p3) * (t * t)
                let c: PhantomPoint = (p1 * 3 - p0 - p2 * 3 + p3) * (t * t * t)
                points.append(p1 + (a + b + c) * 0.5)
            }
        }
        return points
    }

    /// Points on the polyline `line`, `step` apart along it.
    private static func spaced(_ line: [PhantomPoint], by step: Float) -> [PhantomPoint] {
        var points = [line[0]]
        var untilNext = step
        for (start, end) in zip(line, line.dropFirst()) {
            let way = length(end - start)
            while untilNext <= way {
                points.append(start + (end - start) * (untilNext / way))
                untilNext += step
            }
            untilNext -= way
        }
        return points
    }
}
