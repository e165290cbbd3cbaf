import Pictures

/// The vessels of one photograph as alignment needs them: direction and strength on a small grid.
///
/// A vessel of angle a and strength v in 0 to 1 is the vector v (cos 2a, sin 2a). If the picture turns by r, the
/// vectors turn by 2 r. Opposite directions give the same vector, and evenly bright or textured regions average to 0.
/// Thus neither the density of vessels nor the light makes two eyes alike.
package struct VesselField: Sendable {
    static let side = 128
    /// The picture's side on which vessels are searched. Larger pictures are shrunk, and smaller pictures are enlarged.
    package static let workingSide = 256
    /// The strength that becomes 1/2, as a multiple of the mean strength (the average of two means: over the whole
    /// field of view and over the surroundings). Vessels at half contrast, as in a blend with another photograph, thus
    /// keep most of their weight.
    private static let halfStrength: Float = 1
    /// The deviation of the Gaussian that defines the surroundings, in pixels of the working side.
    private static let surroundings = 20.0

    /// [side, side] of (v cos 2a, v sin 2a, v, inside), each in 127ths; 0 outside the field of view.
    let cells: [SIMD4<Int8>]

    /// - Parameter picture: a photograph cut to its field of view.
    package init(_ picture: Picture) { self.init(VesselResponse(picture)) }

    package init(_ response: VesselResponse) {
        let side = Self.workingSide, filter = response.filter, inside = response.inside
        let strengths = zip(filter.strength, inside).map { $1 ? max(0, $0) : 0 }
        let blur = BoxBlur(width: side, height: side, sigma: Self.surroundings)
        let around = blur.applied(to: strengths), cover = blur.applied(to: inside.map { $0 ? 1 : 0 })
        let mean = strengths.reduce(0, +) / Float(max(1, inside.count { $0 }))
        cells = (0..<Self.side * Self.side).map { cell in
            let corner = cell / Self.side * 2 * side + cell % Self.side * 2
            var sum = SIMD4<Float>()
            for i in [corner, corner + 1, corner + side, corner + side + 1] {
                guard inside[i] else { return SIMD4() }
                let half = Self.halfStrength * (mean + around[i] / max(cover[i], 1e-6)) / 2
                let share = strengths[i] / max(strengths[i] + half, 1e-6)
                sum += SIMD4(filter.cosine[i], filter.sine[i], 1, 0) * (share / 4)
            }
            sum.w = 1
            return SIMD4<Int8>(truncatingIfNeeded: SIMD4<Int32>((sum * 127).rounded(.toNearestOrAwayFromZero)))
        }
    }
}

extension VesselField {
    /// The size of a stored field in bytes.
    package static let byteCount = side * side * 4

    /// The field as it is stored, which is the same on every machine.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for cell in cells { for i in 0..<4 { bytes.append(UInt8(bitPattern: cell[i])) } }
        return bytes
    }

    /// - Parameter bytes: the `bytes` of a stored field.
    package init(bytes: [UInt8]) {
        if bytes.count != Self.byteCount { fatalError("VesselField: \(bytes.count) bytes, not \(Self.byteCount)") }
        cells = (0..<Self.side * Self.side).map { cell in
            SIMD4<Int8>(
                truncatingIfNeeded: SIMD4(
                    bytes[4 * cell], bytes[4 * cell + 1], bytes[4 * cell + 2], bytes[4 * cell + 3]))
        }
    }
}

/// A field in floating point at one resolution, as alignment samples it.
struct FieldLevel {
    let side: Int
    /// [side, side] of (v cos 2a, v sin 2a, v, inside).
    let cells: [SIMD4<Float>]

    init(_ field: VesselField) {
        side = VesselField.side
        cells = field.cells.map { SIMD4<Float>(SIMD4<Int32>(truncatingIfNeeded: $0)) / 127 }
    }

    private init(side: Int, cells: [SIMD4<Float>]) {
        self.side = side
        self.cells = cells
    }

    /// The means of 2 x 2 cells.
    var halved: FieldLevel {
        let half = side / 2
        let means = (0..<half * half).map { cell in
            let corner = cell / half * 2 * side + cell % half * 2
            return (cells[corner] + cells[corner + 1] + cells[corner + side] + cells[corner + side + 1]) / 4
        }
        return FieldLevel(side: half, cells: means)
    }

    /// Left and right exchanged; the angles are mirrored, too.
    var mirrored: FieldLevel {
        let mirror = SIMD4<Float>(1, -1, 1, 1)
        let cells = (0..<side * side).map { self.cells[$0 - $0 % side + side - 1 - $0 % side] * mirror }
        return FieldLevel(side: side, cells: cells)
    }

    /// The weighted means of 3 x 3 cells (1 2 1). Cells beyond the grid count as 0.
    var smoothed: FieldLevel {
        func smooth(_ plane: [SIMD4<Float>], _ step: Int, _ position: (Int) -> Int) -> [SIMD4<Float>] {
            plane.indices.map { i in
                let before = position(i) > 0 ? plane[i - step] : SIMD4(),
                    after = position(i) + 1 < side ? plane[i + step] : SIMD4()
                return (before + 2 * plane[i] + after) / 4
            }
        }
        return FieldLevel(side: side, cells: smooth(smooth(cells, 1) { $0 % side }, side) { $0 / side })
    }
}
