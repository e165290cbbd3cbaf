import Foundation

/// Smooth random fields over the plane: gradient noise on a hashed lattice (after Perlin 1985), which needs no stored
/// table.
package struct PhantomNoise {
    package let key: UInt32

    package init(key: UInt32) { self.key = key }

    /// Gradient noise with wavelength 1. Its mean is 0, its deviation about 0.3, and its values lie within about ±1.
    /// - Parameter periodX: where positive, the field repeats after that many units of x (for angles).
    package func value(_ x: Float, _ y: Float, periodX: Int32 = 0) -> Float {
        let floorX = x.rounded(.down), floorY = y.rounded(.down)
        let dx = x - floorX, dy = y - floorY
        var x0 = Int32(floorX), x1 = Int32(floorX) &+ 1
        let y0 = Int32(floorY)
        if periodX > 0 {
            x0 = (x0 % periodX + periodX) % periodX
            x1 = (x1 % periodX + periodX) % periodX
        }
        let u = dx * dx * dx * (dx * (dx * 6 - 15) + 10)
        let v = dy * dy * dy * (dy * (dy * 6 - 15) + 10)
        let a = slope(x0, y0, dx, dy), b = slope(x1, y0, dx - 1, dy)
        let c = slope(x0, y0 &+ 1, dx, dy - 1), d = slope(x1, y0 &+ 1, dx - 1, dy - 1)
        let upper = a + (b - a) * u, lower = c + (d - c) * u
        return 1.6 * (upper + (lower - upper) * v)
    }

    /// A sum of octaves; each has half the wavelength of the octave before, and `gain` times its amplitude.
    /// - Parameter finest: octaves with a wavelength below this (in units of x and y) are left out, because a picture
    ///   that cannot resolve them would alias them.
    package func octaves(_ x: Float, _ y: Float, count: Int, gain: Float = 0.5, finest: Float = 0) -> Float {
        var sum: Float = 0, amplitude: Float = 1, frequency: Float = 1
        for octave in 0..<count {
            if finest * frequency > 1 { break }
            let field = PhantomNoise(key: key &+ UInt32(octave) &* 0x9E37_79B9)
            sum += amplitude * field.value(x * frequency, y * frequency)
            amplitude *= gain
            frequency *= 2
        }
        return sum
    }

    /// The product of the lattice point's random gradient with the offset from the lattice point.
    private func slope(_ x: Int32, _ y: Int32, _ dx: Float, _ dy: Float) -> Float {
        var h = UInt32(bitPattern: x) &* 0x9E37_79B1 ^ UInt32(bitPattern: y) &* 0x85EB_CA77 ^ key
        h = (h ^ (h >> 15)) &* 0x2C1B_3C6D
        h = (h ^ (h >> 12)) &* 0x297A_2D39
        h ^= h >> 15
        let gx = Float(h & 0xFFFF) * 0x1p-15 - 1, gy = Float(h >> 16) * 0x1p-15 - 1
        return gx * dx + gy * dy
    }
}
