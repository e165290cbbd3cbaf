import Foundation
import TensorCore

/// What is left of a vessel field if it does not matter where in the picture the vessels lie: the magnitudes of the
/// Fourier transform of its direction vectors, v exp(2 i angle), on rings of equal ratio. A turn of the eye turns the
/// rings, and another scale exchanges them (as in the Fourier-Mellin transform; Reddy and Chatterji, "An FFT-based
/// technique for translation, rotation, and scale-invariant image registration", IEEE TIP 5(8), 1996, section II).
struct VesselSpectrum: Sendable {
    /// The number of rings of a spectrum at its own scale; one more on either side is for other scales.
    static let rings = 22
    static let angles = 64
    /// The frequencies of the first and the last ring, in periods over the picture's side.
    private static let lowest = 3.0, highest = 28.0
    /// The ratio of the frequencies of two neighbouring rings.
    static let ratio = pow(highest / lowest, 1 / Double(rings - 1))
    /// The number of cosines along the rings, and the highest harmonic along the angles.
    private static let cosines = 14, harmonics = 18
    /// The number of elements of a description.
    static let length = cosines * (2 * harmonics + 1)

    /// [rings + 2, angles]
    private let magnitudes: [Float]

    /// The spectra of some fields.
    static func of(_ fields: [VesselField]) -> [VesselSpectrum] {
        let cells = PolarFrequencies.cells, length = 2 * cells.count, count = (rings + 2) * angles
        var rows = [Float](repeating: 0, count: fields.count * length)
        var parts = [Float](repeating: 0, count: fields.count * 2 * count)
        rows.withUnsafeMutableBufferPointer { rows in
            parts.withUnsafeMutableBufferPointer { parts in
                for (place, field) in fields.enumerated() {
                    let level = FieldLevel(field).halved
                    for (i, cell) in cells.enumerated() {
                        rows[place * length + 2 * i] = level.cells[cell].x
                        rows[place * length + 2 * i + 1] = level.cells[cell].y
                    }
                }
                PolarFrequencies.waves.multiply(
                    rows.baseAddress.unsafelyUnwrapped, rows: fields.count, into: parts.baseAddress.unsafelyUnwrapped)
            }
        }
        return fields.indices.map { place in
            VesselSpectrum(
                magnitudes: (0..<count).map { i in
                    let re = parts[place * 2 * count + 2 * i], im = parts[place * 2 * count + 2 * i + 1]
                    return (re * re + im * im).squareRoot()
                })
        }
    }

    /// The spectrum as low cosines along the rings and harmonics along the angles, [cosines, real parts of harmonics 0
    /// to the highest and imaginary parts of harmonics 1 to the highest].
    /// - Parameter ring: by how many rings the spectrum is moved, -1 to 1: the scale is `ratio` to that power.
    func description(ring: Int = 0) -> [Float] {
        var result = [Float](repeating: 0, count: Self.length)
        var line = [Float](repeating: 0, count: Self.angles)
        for k in 0..<Self.cosines {
            for angle in 0..<Self.angles {
                line[angle] = (0..<Self.rings).reduce(0) { sum, r in
                    sum + Self.cosine[k * Self.rings + r] * magnitudes[(1 + ring + r) * Self.angles + angle]
                }
            }
            for harmonic in 0...Self.harmonics {
                var re: Float = 0, im: Float = 0
                for angle in 0..<Self.angles {
                    let step = harmonic * angle % Self.angles
                    re += line[angle] * Self.circle[step].x
                    im -= line[angle] * Self.circle[step].y
                }
                result[Self.place(k, harmonic)] = re
                if harmonic > 0 { result[Self.place(k, harmonic) + Self.harmonics] = im }
            }
        }
        return result
    }

    /// The description of the mirror image, and of the eye turned by a number of the `angles`.
    static func description(_ description: [Float], turnedBy steps: Int, mirrored: Bool) -> [Float] {
        var result = description
        for k in 0..<cosines {
            for harmonic in 1...harmonics {
                let i = place(k, harmonic), j = i + harmonics
                let step = ((harmonic * steps) % angles + angles) % angles
                let c = circle[step].x, s = circle[step].y
                let re = description[i], im = mirrored ? -description[j] : description[j]
                result[i] = c * re + s * im
                result[j] = c * im - s * re
            }
        }
        return result
    }

    private static func place(_ k: Int, _ harmonic: Int) -> Int { k * (2 * harmonics + 1) + harmonic }

    /// [cosines, rings]
    private static let cosine: [Float] = (0..<cosines).flatMap { k in
        (0..<rings).map { Float(cos(.pi * (Double($0) + 0.5) * Double(k) / Double(rings))) }
    }

    /// The cosine and sine of each of the `angles`.
    private static let circle: [SIMD2<Float>] = (0..<angles).map {
        let angle = 2 * .pi * Double($0) / Double(angles)
        return SIMD2(Float(cos(angle)), Float(sin(angle)))
    }

    /// The waves at which fields are transformed.
    private enum PolarFrequencies {
        private static let side = VesselField.side / 2

        /// The cells of a field's second level inside the circle, by their place in it.
        static let cells: [Int] = (0..<side * side).filter { cell in
            let x = Double(cell % side) + 0.5 - Double(side) / 2, y = Double(cell / side) + 0.5 - Double(side) / 2
            return x * x + y * y <= Double(side * side) / 4
        }

        /// Two rows for each frequency, which give the real and the imaginary part: [2 (rings + 2) angles, 2 cells].
        static let waves: RowProducts = {
            let length = 2 * cells.count, count = (rings + 2) * angles
            var rows = [Float](repeating: 0, count: 2 * count * length)
            rows.withUnsafeMutableBufferPointer { rows in
                nonisolated(unsafe) let rows = rows
                parallelFor(count) { i in
                    let frequency = lowest * pow(ratio, Double(i / angles - 1))
                    let angle = 2 * .pi * Double(i % angles) / Double(angles)
                    let u = 2 * .pi * frequency * cos(angle) / Double(side)
                    let v = 2 * .pi * frequency * sin(angle) / Double(side)
                    for (place, cell) in cells.enumerated() {
                        let phase =
                            u * (Double(cell % side) + 0.5 - Double(side) / 2)
                            + v * (Double(cell / side) + 0.5 - Double(side) / 2)
                        let c = Float(cos(phase)), s = Float(sin(phase))
                        // (x + i y) (c - i s)
                        rows[2 * i * length + 2 * place] = c
                        rows[2 * i * length + 2 * place + 1] = s
                        rows[(2 * i + 1) * length + 2 * place] = -s
                        rows[(2 * i + 1) * length + 2 * place + 1] = c
                    }
                }
            }
            return RowProducts(rows, count: 2 * count, length: length)
        }()
    }
}
