import Anatomy
import Phantoms
import Pictures
import Testing

@Suite struct UnusualPicturesTests {
    @Test(arguments: [64, 256, 600]) func `nothing is measured in a black picture`(side: Int) {
        let anatomy = EyeAnatomy(Picture(width: side, height: side))
        #expect(AnatomyMeasure.allCases.allSatisfy { anatomy[$0] == nil })
    }

    @Test func `nothing is measured in a picture that is too small`() {
        let anatomy = EyeAnatomy(Picture(width: 32, height: 32, red: 180, green: 90, blue: 40))
        #expect(AnatomyMeasure.allCases.allSatisfy { anatomy[$0] == nil })
    }

    @Test func `an even field of view has no vessels, no disc and no lesions`() throws {
        let anatomy = EyeAnatomy(retina())
        #expect(anatomy[.discCount] == 0 && anatomy[.discX] == nil && anatomy[.cupToDisc] == nil)
        #expect(anatomy[.laterality] == nil && anatomy[.maculaDistance] == nil)
        #expect(try #require(anatomy[.vesselDensity]) < 0.01)
        #expect(anatomy[.brightLesions] == 0 && anatomy[.darkLesions] == 0)
        #expect(anatomy[.vesselCalibre] == nil && anatomy[.vesselTortuosity] == nil)
    }

    @Test func `painted discs are counted, and the first one is where it was painted`() throws {
        let one = EyeAnatomy(retina(discs: [SIMD2(190, 120)]))
        let two = EyeAnatomy(retina(discs: [SIMD2(190, 120), SIMD2(70, 140)]))
        #expect(one[.discCount] == 1 && two[.discCount] == 2)
        let x = try #require(one[.discX]), y = try #require(one[.discY]), diameter = try #require(one[.discDiameter])
        #expect(abs(x * 256 - 190) < 1 && abs(y * 256 - 120) < 1, "\(x), \(y)")
        #expect(abs(diameter * 250 - 34) < 2, "\(diameter)")
    }

    @Test func `a phantom whose disc is painted over has none`() throws {
        let phantom = try PhantomGenerator(patients: 1, size: 256, seed: 77_002).phantom(0)
        let whole = Picture(width: 256, height: 256, pixels: phantom.pixels)
        try #require(EyeAnatomy(whole)[.discCount] == 1)
        let center = phantom.transform.picture(phantom.eye.opticDisc.center), reach = 1.6 * phantom.transform.scale
        // The colour at the disc's edge, towards the macula.
        let fovea = phantom.transform.picture(PhantomPoint(0, 0)), way = (fovea - center) / length(fovea - center)
        let near = center + way * (reach + 2)
        let colour = whole[Int(near.x), Int(near.y)]
        var covered = whole
        for y in 0..<256 {
            for x in 0..<256 where length(PhantomPoint(Float(x) + 0.5, Float(y) + 0.5) - center) < reach {
                if covered[x, y] != SIMD3(0, 0, 0) { covered[x, y] = colour }
            }
        }
        #expect(EyeAnatomy(covered)[.discCount] == 0)
    }

    /// An even retina of radius 125, with bright discs of radius 17 at these places.
    private func retina(discs: [SIMD2<Float>] = []) -> Picture {
        var picture = Picture(width: 256, height: 256)
        for y in 0..<256 {
            for x in 0..<256 {
                let point = SIMD2(Float(x) + 0.5, Float(y) + 0.5)
                guard length(point - SIMD2(128, 128)) < 125 else { continue }
                // An edge of four pixels, which is as soft as that of a photograph.
                let disc = discs.map { min(max((19 - length(point - $0)) / 4, 0), 1) }.max() ?? 0
                let colour = SIMD3<Float>(170, 90, 40) + SIMD3(60, 110, 80) * disc
                picture[x, y] = SIMD3(UInt8(colour.x), UInt8(colour.y), UInt8(colour.z))
            }
        }
        return picture
    }
}
