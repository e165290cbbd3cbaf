import Anatomy
import Phantoms
import Pictures
import TensorCore
import Testing

/// Measures against what is known of phantoms. No number of these seeds was used to choose anything.
@Suite struct EyeAnatomyTests {
    private static let size = 256

    private struct Case {
        let phantom: Phantom
        let anatomy: EyeAnatomy
        /// Of the disc: the centre in pixels, and the diameter as a share of the field of view's.
        let center: SIMD2<Float>, diameter: Double
    }

    private static let cases: [Case] = {
        guard let generator = try? PhantomGenerator(patients: 40, size: size, seed: 77_001) else {
            fatalError("phantoms")
        }
        let phantoms = generator.phantoms(0..<40, threads: 2)
        let pictures = PictureSet(phantoms.map(picture), size: size, patients: Array(0..<40))
        return zip(phantoms, EyeAnatomy.of(pictures)).map { phantom, anatomy in
            let disc = phantom.eye.opticDisc,
                pixels = (disc.axes.x * disc.axes.y).squareRoot() * phantom.transform.scale
            return Case(
                phantom: phantom, anatomy: anatomy, center: phantom.transform.picture(disc.center),
                diameter: Double(pixels / phantom.fieldOfView.radius))
        }
    }()

    private static func picture(_ phantom: Phantom) -> Picture {
        Picture(width: phantom.size, height: phantom.size, pixels: phantom.pixels)
    }

    /// The pairs of a measure and its truth; the number of phantoms without the measure is limited.
    private func pairs(_ measure: AnatomyMeasure, missing: Int, _ truth: (Case) -> Double) throws -> [(Double, Double)]
    {
        let pairs = Self.cases.compactMap { one in one.anatomy[measure].map { ($0, truth(one)) } }
        try #require(pairs.count >= Self.cases.count - missing, "\(measure): \(pairs.count) of \(Self.cases.count)")
        return pairs
    }

    @Test func `one disc is found where it is`() throws {
        #expect(Self.cases.count { $0.anatomy[.discCount] == 1 } >= 36)
        let side = Double(Self.size)
        #expect(correlation(try pairs(.discX, missing: 0) { Double($0.center.x) / side }) >= 0.99)
        #expect(correlation(try pairs(.discY, missing: 0) { Double($0.center.y) / side }) >= 0.95)
    }

    @Test func `the disc has its size, and the cup its share of it`() throws {
        let errors = try pairs(.discDiameter, missing: 0, \.diameter).map { abs($0 / $1 - 1) }.sorted()
        #expect(errors[errors.count / 2] < 0.02 && errors[errors.count * 9 / 10] < 0.06, "\(errors)")
        let cups = try pairs(.cupToDisc, missing: 1) { Double($0.phantom.eye.cupToDisc) }
        #expect(cups.reduce(0) { $0 + abs($1.0 - $1.1) } / Double(cups.count) <= 0.06, "\(cups)")
        #expect(correlation(cups) >= 0.8)
    }

    @Test func `the disc lies on the side of the macula on which the eye has it`() throws {
        let sides = try pairs(.laterality, missing: 1) { $0.phantom.eye.laterality == .right ? 1 : -1 }
        #expect(sides.count { $0 == $1 } >= 37, "\(sides)")
        let distances = try pairs(.maculaDistance, missing: 3) { one in
            let d = one.phantom.transform.picture(PhantomPoint(0, 0)) - one.center
            return Double((d * d).sum().squareRoot()) / (one.diameter * Double(one.phantom.fieldOfView.radius) * 2)
        }
        let errors = distances.map { abs($0 - $1) }.sorted()
        #expect(errors[errors.count / 2] < 0.12, "\(errors)")
    }

    @Test func `vessels and lesions cover what they cover`() throws {
        func share(_ one: Case, of mask: [UInt8], where isCounted: (Int) -> Bool = { _ in true }) -> Double {
            let inside = EyeScene(Self.picture(one.phantom)).inside
            return Double(inside.indices.count { inside[$0] && mask[$0] > 0 && isCounted($0) })
                / Double(inside.count { $0 })
        }
        let vessels = try pairs(.vesselDensity, missing: 0) { share($0, of: $0.phantom.masks.vessels) }
        #expect(vessels.reduce(0) { $0 + abs($1.0 - $1.1) } / 40 < 0.007, "\(vessels)")
        #expect(correlation(vessels) > 0.4, "\(vessels)")
        let lesions = Self.cases.map { one in
            (
                (one.anatomy[.brightLesions] ?? 0) + (one.anatomy[.darkLesions] ?? 0),
                share(one, of: one.phantom.masks.lesions)
            )
        }
        #expect(correlation(lesions) > 0.9, "\(lesions)")
    }

    @Test func `the mirror image has the other laterality, and its disc on the other side`() throws {
        for one in Self.cases.prefix(4) {
            let other = EyeAnatomy(mirrored(Self.picture(one.phantom)))
            let x = try #require(one.anatomy[.discX]), mirrorX = try #require(other[.discX])
            #expect(abs(x + mirrorX - 1) < 0.01, "\(x), \(mirrorX)")
            let side = try #require(one.anatomy[.laterality]), mirrorSide = try #require(other[.laterality])
            #expect(side == -mirrorSide)
        }
    }

    @Test(arguments: [64, 128, 512, 1024]) func `a disc is found at every size, and vessels from 128 pixels on`(
        side: Int
    ) throws {
        for one in Self.cases.prefix(3) {
            let whole = one.anatomy, other = EyeAnatomy(Self.picture(one.phantom).resized(width: side, height: side))
            let x = try #require(whole[.discX]), otherX = try #require(other[.discX])
            #expect(abs(x - otherX) < 0.02, "\(x), \(otherX)")
            #expect((other[.vesselDensity] != nil) == (side >= EyeAnatomy.leastSideForVessels))
        }
    }
}

private func mirrored(_ picture: Picture) -> Picture {
    var result = picture
    for y in 0..<picture.height {
        for x in 0..<picture.width { result[picture.width - 1 - x, y] = picture[x, y] }
    }
    return result
}

/// Pearson's correlation.
private func correlation(_ pairs: [(Double, Double)]) -> Double {
    let count = Double(pairs.count)
    let first = pairs.reduce(0) { $0 + $1.0 } / count, second = pairs.reduce(0) { $0 + $1.1 } / count
    var product = 0.0, firstSquare = 0.0, secondSquare = 0.0
    for (a, b) in pairs {
        product += (a - first) * (b - second)
        firstSquare += (a - first) * (a - first)
        secondSquare += (b - second) * (b - second)
    }
    return product / (firstSquare * secondSquare).squareRoot()
}
