import Files

/// Tells masks and drawings, which have a few even colours, from photographs.
enum Shades {
    /// How many colours a mask may have, and the share of the disc that these cover at least.
    static let fewColours = 8
    static let leastShareOfFew = 0.9
    /// About how many pixels are looked at.
    private static let sample = 20_000

    /// The share of the disc's pixels that the few most frequent colours cover.
    static func shareOfFew(in picture: Picture, _ view: FieldOfView) -> Double {
        let radius = max(1, view.radius)
        let step = max(1, Int((3.14 * radius * radius / Float(sample)).squareRoot()))
        var counts: [SIMD3<UInt8>: Int] = [:]
        var total = 0
        for y in stride(from: max(0, Int(view.top)), to: min(picture.height, Int(view.bottom)), by: step) {
            for x in stride(from: 0, to: picture.width, by: step)
            where view.signedDistance(x: Float(x) + 0.5, y: Float(y) + 0.5) > 0 {
                counts[picture[x, y], default: 0] += 1
                total += 1
            }
        }
        let few = counts.values.sorted(by: >).prefix(fewColours).reduce(0, +)
        return total == 0 ? 0 : Double(few) / Double(total)
    }

    /// - Throws: `Failure(.badData)` if a few colours cover the disc.
    static func require(in picture: Picture, _ view: FieldOfView, name: String) throws {
        guard shareOfFew(in: picture, view) < leastShareOfFew else {
            throw Failure(
                .badData, name,
                "has hardly any shades inside its disc, so it is a mask or a drawing and no photograph")
        }
    }
}
