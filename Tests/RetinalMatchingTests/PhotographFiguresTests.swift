import Phantoms
import Pictures
import RetinalMatching
import TestPictures
import Testing

@Suite struct PhotographFiguresTests {
    /// Two phantoms of 256 pixels.
    private static let phantoms: [Phantom] = {
        guard let generator = try? PhantomGenerator(patients: 2, size: 256, seed: 31) else { fatalError("phantoms") }
        return generator.phantoms(0..<2, threads: 2)
    }()

    private func figures(_ phantom: Phantom, _ change: (Picture) -> Picture = { $0 }) -> PhotographFigures {
        let picture = change(Picture(width: 256, height: 256, pixels: phantom.pixels))
        return PhotographFigures(VesselResponse(picture), fieldOfView: phantom.fieldOfView)
    }

    @Test func `an even grey field of view is as bright as it is, lit, and has neither detail nor vessels`() {
        let view = FieldOfView(centerX: 128, centerY: 128, radius: 127, top: 1, bottom: 255)
        var picture = Picture(width: 256, height: 256)
        for y in 0..<256 {
            for x in 0..<256 where view.signedDistance(x: Float(x) + 0.5, y: Float(y) + 0.5) > 0 {
                picture[x, y] = SIMD3(100, 100, 100)
            }
        }
        let figures = PhotographFigures(VesselResponse(picture), fieldOfView: view)
        #expect(figures.brightness == 100 && figures.dark == 0 && figures.burnt == 0 && figures.lit == 1)
        #expect(figures.sharpness < 0.01 && figures.vesselLength == 0 && figures.vesselContrast == 0)
    }

    @Test func `half a field of view that is black, and half that is burnt out`() {
        for phantom in Self.phantoms {
            let half = figures(phantom) { $0.covered(0..<128, with: SIMD3(0, 0, 0)) }
            #expect(abs(half.dark - 0.5) < 0.03 && abs(half.lit - 0.5) < 0.06, "\(half)")
            let burnt = figures(phantom) { $0.covered(0..<128, with: SIMD3(255, 252, 100)) }
            #expect(abs(burnt.burnt - 0.5) < 0.03 && burnt.lit == 1, "\(burnt)")
        }
    }

    @Test func `less light makes a darker figure, and hardly changes the others`() {
        for phantom in Self.phantoms {
            let whole = figures(phantom), dim = figures(phantom) { $0.lit(0.5) }
            #expect(abs(dim.brightness / whole.brightness - 0.5) < 0.02, "\(whole.brightness), \(dim.brightness)")
            #expect(abs(dim.sharpness / whole.sharpness - 1) < 0.1, "\(whole.sharpness), \(dim.sharpness)")
            #expect(abs(dim.vesselLength / whole.vesselLength - 1) < 0.25, "\(whole), \(dim)")
        }
    }

    @Test func `more blur means less sharpness and shorter vessels, and noise changes neither much`() {
        for phantom in Self.phantoms {
            var last = figures(phantom)
            for sigma in [1.0, 2, 4] {
                let blurred = Picture(width: 256, height: 256, pixels: phantom.pixels)
                    .blurred(sigma: sigma, inside: phantom.fieldOfView)
                let now = figures(phantom) { _ in blurred }
                #expect(now.sharpness < last.sharpness && now.vesselLength < last.vesselLength, "\(sigma): \(now)")
                let noisy = figures(phantom) { _ in blurred.noisy(3, inside: phantom.fieldOfView) }
                #expect(abs(noisy.sharpness - now.sharpness) < 0.08, "\(sigma): \(noisy.sharpness), \(now.sharpness)")
                #expect(noisy.vesselLength < now.vesselLength + 0.2, "\(sigma): \(noisy), \(now)")
                last = now
            }
            let most = figures(phantom) { $0.blurred(sigma: 8, inside: phantom.fieldOfView) }
            #expect(most.vesselLength == 0 && most.sharpness < 0.25, "\(most)")
        }
    }

    @Test func `a haze of one half halves the contrast of the vessels`() {
        for phantom in Self.phantoms {
            let clear = figures(phantom)
            let hazy = figures(phantom) { $0.hazed(0.5, inside: phantom.fieldOfView) }
            #expect(hazy.vesselContrast < 0.75 * clear.vesselContrast, "\(clear), \(hazy)")
        }
    }
}
