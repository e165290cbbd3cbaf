import Foundation

/// The outline of an optic disc: at each angle, where the light falls most steeply outwards. A curve of five terms is
/// fitted to these places, and places far from the curve count less (Tukey's biweight), because vessels cross the
/// outline and a crescent may lie beside it.
struct DiscOutline: Sendable {
    /// In pixels of the scene.
    private(set) var center: SIMD2<Float>
    /// The radius at an angle is c0 + c1 cos 2a + c2 sin 2a after the centre is moved.
    private(set) var terms: SIMD3<Float>
    /// The mean fall of light over the outline, as a share of the light inside.
    private(set) var fall: Float = 0
    /// The share of all angles at which the light is known to fall clearly.
    private(set) var agreement: Float = 0
    /// By what share of the light inside it is brighter close to the outline than farther away. A cup lies in a disc,
    /// and thus has a halo.
    private(set) var halo: Float = 0

    private static let angles = 72

    /// - Parameter direction: of length 1. cos 2a = c^2 - s^2, and sin 2a = 2 c s.
    func radius(towards direction: SIMD2<Float>) -> Float {
        let (c, s) = (direction.x, direction.y)
        return terms.x + terms.y * (c * c - s * s) + terms.z * 2 * c * s
    }

    /// The diameter of the circle of the same area.
    var diameter: Float {
        2 * (terms.x * terms.x + (terms.y * terms.y + terms.z * terms.z) / 2).squareRoot()
    }

    /// Distances from the centre as shares of the outline's.
    func level(_ point: SIMD2<Float>) -> Float {
        let d = point - center
        let distance = (d * d).sum().squareRoot()
        return distance / radius(towards: d / max(distance, 1e-3))
    }

    /// nil where too little of the outline is in the field of view.
    /// - Parameter expected: about which radius is searched, in pixels.
    init?(_ scene: EyeScene, bright: [Float], near start: SIMD2<Float>, radius expected: Float) {
        let light = Light(bright, scene.clear)
        center = start
        terms = SIMD3(expected, 0, 0)
        guard let circle = Self.bestCircle(light, start, expected) else { return nil }
        (center, terms.x) = circle
        for reach: Float in [0.28, 0.2, 0.16] {
            guard let better = refined(light, reach: reach) else { return nil }
            self = better
        }
        let inner = light.mean(center, terms.x * 0.8) ?? 1
        let falls = Self.turns.compactMap { light.fall(center, $0, radius(towards: $0), terms.x * 0.15) }
        guard falls.count * 2 > Self.angles else { return nil }
        fall = falls.reduce(0, +) / Float(falls.count) / max(inner, 1)
        agreement = Float(falls.count { $0 > 0.03 * inner }) / Float(Self.angles)
        if let near = light.mean(center, terms.x * 1.2), let far = light.mean(center, terms.x * 2) {
            halo = max(0, near - far) / max(inner, 1)
        }
    }

    private static let turns: [SIMD2<Float>] = (0..<angles).map {
        let angle = 2 * Float.pi * Float($0) / Float(angles)
        return SIMD2(cos(angle), sin(angle))
    }

    /// The circle over which the light falls most, where a single angle counts up to a limit.
    private static func bestCircle(
        _ light: Light, _ start: SIMD2<Float>, _ expected: Float
    ) -> (center: SIMD2<Float>, radius: Float)? {
        var best: (center: SIMD2<Float>, radius: Float)?, most: Float = 0
        let cap = 0.12 * (light.mean(start, expected * 0.7) ?? 100)
        func search(_ middle: SIMD2<Float>, _ radii: [Float], step: Float, count: Int, every: Int) {
            for dy in -count...count {
                for dx in -count...count {
                    let center = middle + SIMD2(Float(dx), Float(dy)) * step
                    for radius in radii {
                        var sum: Float = 0, known: Float = 0
                        for k in stride(from: 0, to: angles, by: every) {
                            guard let fall = light.fall(center, turns[k], radius, radius * 0.16) else {
                                continue
                            }
                            sum += min(max(fall, -cap), cap)
                            known += 1
                        }
                        guard known * Float(every) > 0.55 * Float(angles) else { continue }
                        // A wide circle with the same fall is as good as a narrow one, and no better.
                        if sum / known > most { (most, best) = (sum / known, (center, radius)) }
                    }
                }
            }
        }
        let shares: [Float] = [0.7, 0.8, 0.9, 1, 1.12, 1.25, 1.4]
        search(start, shares.map { $0 * expected }, step: expected * 0.2, count: 2, every: 4)
        guard let rough = best else { return nil }
        let fine: [Float] = [0.93, 1, 1.07]
        search(rough.center, fine.map { $0 * rough.radius }, step: expected * 0.1, count: 1, every: 3)
        return best
    }

    /// - Parameter reach: how far from the curve the steepest fall is searched, as a share of the radius.
    private func refined(_ light: Light, reach: Float) -> DiscOutline? {
        var rows: [[Float]] = [], radii: [Float] = [], weights: [Float] = []
        let window = terms.x * 0.13, step: Float = 0.25
        for turn in Self.turns {
            let expected = radius(towards: turn), count = Int(reach * expected / step)
            var falls: [Float?] = []
            for k in -count...count {
                falls.append(light.fall(center, turn, expected + Float(k) * step, window))
            }
            guard let peak = falls.indices.max(by: { (falls[$0] ?? -1) < (falls[$1] ?? -1) }),
                let top = falls[peak], top > 0
            else { continue }
            var offset: Float = 0
            if peak > 0, peak + 1 < falls.count, let before = falls[peak - 1], let after = falls[peak + 1] {
                let bend = before - 2 * top + after
                if bend < 0 { offset = 0.5 * (before - after) / bend }
            }
            rows.append([1, turn.x, turn.y, turn.x * turn.x - turn.y * turn.y, 2 * turn.x * turn.y])
            radii.append(expected + (Float(peak - count) + offset) * step)
            weights.append(top)
        }
        guard rows.count * 2 > Self.angles else { return nil }
        let typical = max(weights.quantiles([0.5])[0], 1e-3)
        weights = weights.map { min($0 / typical, 1) }
        var fit = [terms.x, 0, 0, terms.y, terms.z]
        let scale = 0.11 * terms.x
        for pass in 0..<6 {
            let own = rows.indices.map { k -> Float in
                let residual = radii[k] - zip(rows[k], fit).reduce(0) { $0 + $1.0 * $1.1 }
                let share = residual / (pass == 0 ? 3 * scale : scale)
                return abs(share) < 1 ? weights[k] * (1 - share * share) * (1 - share * share) : 0
            }
            guard let next = leastSquares(rows, radii, weights: own, ridge: 0.5) else { return nil }
            fit = next
        }
        var result = self
        result.center += SIMD2(fit[1], fit[2])
        result.terms = SIMD3(fit[0], fit[3], fit[4])
        return result.terms.x > 2 ? result : nil
    }
}

/// A plane that is sampled between its pixels.
private struct Light {
    private let plane: [Float], lit: [Bool]

    init(_ plane: [Float], _ lit: [Bool]) { (self.plane, self.lit) = (plane, lit) }

    /// nil outside the field of view.
    func value(_ point: SIMD2<Float>) -> Float? {
        let side = EyeScene.side, x = point.x - 0.5, y = point.y - 0.5
        guard x >= 0, y >= 0, x < Float(side - 1), y < Float(side - 1) else { return nil }
        let u = Int(x), v = Int(y), fx = x - Float(u), fy = y - Float(v), i = v * side + u
        guard lit[i], lit[i + 1], lit[i + side], lit[i + side + 1] else { return nil }
        let upper = plane[i] + (plane[i + 1] - plane[i]) * fx
        let lower = plane[i + side] + (plane[i + side + 1] - plane[i + side]) * fx
        return upper + (lower - upper) * fy
    }

    /// The mean within `window` pixels inside `radius` minus the mean within the same outside it.
    func fall(_ center: SIMD2<Float>, _ direction: SIMD2<Float>, _ radius: Float, _ window: Float) -> Float? {
        var sum: Float = 0
        for share: Float in [0.17, 0.5, 0.83] {
            guard let inner = value(center + direction * (radius - share * window)),
                let outer = value(center + direction * (radius + share * window))
            else { return nil }
            sum += inner - outer
        }
        return sum / 3
    }

    /// The mean over a circle.
    func mean(_ center: SIMD2<Float>, _ radius: Float) -> Float? {
        let values = (0..<16).compactMap { k -> Float? in
            let angle = Float(k) * .pi / 8
            return value(center + radius * SIMD2(cos(angle), sin(angle)))
        }
        return values.isEmpty ? nil : values.reduce(0, +) / Float(values.count)
    }
}
