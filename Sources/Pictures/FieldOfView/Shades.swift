import Files

/// Tells masks and drawings, which have a few even colours, from photographs.
///
/// Over 559 photographs of four cameras, the eight most frequent colours cover at most 9 % of the disc, and at most
/// 78 % where colours are told apart in steps of eight levels. In a mask they cover nearly all.
enum Shades {
    private static let fewColours = 8
    /// The shares of the disc from which on the few colours make a mask.
    private static let exactShare = 0.6, coarseShare = 0.97
    /// A dark photograph has few steps of eight levels, so that the coarse share counts only for a bright colour.
    private static let brightLevel: UInt8 = 128
    /// About how many pixels are looked at.
    private static let sample = 20_000

    /// - Throws: `Failure(.badData)` if a few colours cover the disc.
    static func require(in picture: Picture, _ view: FieldOfView, name: String) throws {
        let colours = histogram(of: picture, view)
        var coarse: [SIMD3<UInt8>: Int] = [:]
        for (colour, count) in colours { coarse[colour &>> 3, default: 0] += count }
        let most = coarse.max { $0.value < $1.value }?.key ?? SIMD3()
        let isBright = most.max() >= brightLevel >> 3
        if shareOfFew(colours) >= exactShare || (isBright && shareOfFew(coarse) >= coarseShare) {
            throw Failure(
                .badData, name,
                """
                has hardly any shades inside its disc: it is a mask or a drawing, or a photograph that is so dark, \
                pale, burnt out or compressed that little is left of it
                """)
        }
    }

    private static func histogram(of picture: Picture, _ view: FieldOfView) -> [SIMD3<UInt8>: Int] {
        let radius = max(1, view.radius)
        let step = max(1, Int((3.14 * radius * radius / Float(sample)).squareRoot()))
        var counts: [SIMD3<UInt8>: Int] = [:]
        for y in stride(from: max(0, Int(view.top)), to: min(picture.height, Int(view.bottom)), by: step) {
            for x in stride(from: 0, to: picture.width, by: step)
            where view.signedDistance(x: Float(x) + 0.5, y: Float(y) + 0.5) > 0 {
                counts[picture[x, y], default: 0] += 1
            }
        }
        return counts
    }

    /// The share that the most frequent colours cover.
    private static func shareOfFew(_ counts: [SIMD3<UInt8>: Int]) -> Double {
        let few = counts.values.sorted(by: >).prefix(fewColours).reduce(0, +)
        return Double(few) / Double(max(1, counts.values.reduce(0, +)))
    }
}
