import Phantoms
import Testing

@Suite struct PhantomRasterTests {
    /// A line's cover, added up over pixels across it, is its width, wherever it runs between the pixels.
    @Test(arguments: [Float(0.1), 0.4, 0.5, 1.3, 3]) func coverAddsUpToTheWidth(halfWidth: Float) {
        for offset: Float in [0, 0.2, 0.5, 0.77] {
            let sum = (-8...8).map { PhantomRaster.cover(abs(Float($0) + offset), halfWidth: halfWidth) }.reduce(0, +)
            #expect(abs(sum - 2 * halfWidth) < 1e-5, "at \(offset): \(sum)")
        }
    }

    /// The same eye in the same pose covers the same share of the picture with vessels at every size.
    @Test func vesselsKeepTheirShareOfThePicture() {
        let eye = PhantomEye(PhantomPatient(seed: 2, number: 1))
        let visit = PhantomVisit(eye, number: 0)
        let shares = [64, 128, 512].map { size -> Float in
            let raster = PhantomRaster(eye, transform: visit.pose.transform(visit.fieldOfView(size: size)), size: size)
            return raster.vessels.reduce(0, +) / Float(size * size)
        }
        #expect(shares[2] > 0.03)
        #expect(abs(shares[1] / shares[2] - 1) < 0.1, "shares \(shares)")
        // Where vessels crowd in one pixel of a small picture, the widest counts.
        #expect(abs(shares[0] / shares[2] - 1) < 0.25, "shares \(shares)")
    }

    @Test func aLesionSmallerThanAPixelIsMarkedStill() throws {
        let patient = try #require((0..<10).map { PhantomPatient(seed: 2, number: $0) }.first { $0.grade == 1 })
        let eye = PhantomEye(patient)
        let phantom = Phantom(eye, PhantomVisit(eye, number: 0), size: 64)
        for lesion in eye.lesions {
            let point = phantom.transform.picture(lesion.center)
            let view = phantom.fieldOfView
            guard length(point - PhantomPoint(32, 32)) < view.radius - 1, point.y > view.top + 1,
                point.y < view.bottom - 1
            else { continue }
            #expect(lesion.radius * phantom.transform.scale < 0.5)
            #expect(phantom.masks.lesions[Int(point.y) * 64 + Int(point.x)] == 255)
        }
        #expect(phantom.masks.lesions.contains(255))
    }
}
