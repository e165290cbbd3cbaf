import Datasets
import Phantoms
import Pictures
import Testing

@Suite struct PhantomVisitTests {
    private func visits(_ number: Int, seed: UInt64 = 4, size: Int = 256) -> (Phantom, Phantom) {
        let eye = PhantomEye(PhantomPatient(seed: seed, number: number))
        return (
            Phantom(eye, PhantomVisit(eye, number: 0), size: size),
            Phantom(eye, PhantomVisit(eye, number: 1), size: size)
        )
    }

    /// Correlation of the vessel mask of `b` with that of `a` brought onto it by the known transforms, where both see.
    private func agreement(_ a: Phantom, _ b: Phantom) -> Float {
        let (softA, softB) = (softened(a.masks.vessels, a.size), softened(b.masks.vessels, b.size))
        var x: [Float] = [], y: [Float] = []
        for row in 0..<b.size {
            for column in 0..<b.size {
                let inB = PhantomPoint(Float(column) + 0.5, Float(row) + 0.5)
                let inA = a.transform.picture(b.transform.eye(inB))
                guard isInside(inA, a.fieldOfView), isInside(inB, b.fieldOfView) else { continue }
                x.append(sample(softA, inA, a.size))
                y.append(softB[row * b.size + column])
            }
        }
        return correlation(x, y)
    }

    private func isInside(_ point: PhantomPoint, _ view: FieldOfView) -> Bool {
        length(point - PhantomPoint(view.centerX, view.centerY)) < view.radius - 3
            && point.y > view.top + 3 && point.y < view.bottom - 3
    }

    private func sample(_ plane: [Float], _ point: PhantomPoint, _ size: Int) -> Float {
        let p = point - 0.5
        let x = Int(p.x.rounded(.down)), y = Int(p.y.rounded(.down))
        guard x >= 0, y >= 0, x + 1 < size, y + 1 < size else { return 0 }
        let (u, v) = (p.x - Float(x), p.y - Float(y))
        let upper = plane[y * size + x] * (1 - u) + plane[y * size + x + 1] * u
        let lower = plane[(y + 1) * size + x] * (1 - u) + plane[(y + 1) * size + x + 1] * u
        return upper * (1 - v) + lower * v
    }

    /// Means over 5 x 5 pixels, so that a shift of half a pixel does not count as another vessel.
    private func softened(_ mask: [UInt8], _ size: Int) -> [Float] {
        var rows = [Float](repeating: 0, count: mask.count), result = rows
        for y in 0..<size {
            for x in 2..<size - 2 { for k in -2...2 { rows[y * size + x] += Float(mask[y * size + x + k]) / 1275 } }
        }
        for y in 2..<size - 2 {
            for x in 0..<size { for k in -2...2 { result[y * size + x] += rows[(y + k) * size + x] / 5 } }
        }
        return result
    }

    private func correlation(_ x: [Float], _ y: [Float]) -> Float {
        guard x.count == y.count else { return .nan }
        let (meanX, meanY) = (mean(x), mean(y))
        var xy: Float = 0, xx: Float = 0, yy: Float = 0
        for (a, b) in zip(x, y) {
            xy += (a - meanX) * (b - meanY)
            xx += (a - meanX) * (a - meanX)
            yy += (b - meanY) * (b - meanY)
        }
        return xy / (xx * yy).squareRoot()
    }

    @Test func visitsOfOneEyeShareItsVesselsAndEyesDoNot() {
        let pairs = [0, 1, 2, 3].map { visits($0) }
        for (i, (first, second)) in pairs.enumerated() {
            let same = agreement(first, second)
            #expect(same > 0.9, "visits of patient \(i) agree by \(same)")
            #expect(first.masks.vessels != second.masks.vessels)
            // Eyes of one side have their arcades in the same places, so this is more than chance.
            for (j, other) in pairs.enumerated() where j != i {
                let different = agreement(first, other.1)
                #expect(different < 0.5, "patients \(i) and \(j) agree by \(different)")
            }
        }
    }

    @Test func visitsDifferInPoseLightAndCamera() {
        let eye = PhantomEye(PhantomPatient(seed: 1, number: 0))
        let visits = (0..<30).map { PhantomVisit(eye, number: $0) }
        #expect(Set(visits.map(\.pose)).count == 30)
        #expect(Set(visits.map(\.camera)).count == 3)
        #expect(Set(visits.map(\.quality)) == ["good", "usable"])
        for visit in visits {
            #expect(abs(visit.pose.rotation) < 0.14)
            #expect(visit.pose.isMirrored == (eye.laterality == .left))
            let view = visit.fieldOfView(size: 256)
            #expect(view.radius > 120 && view.radius <= 128)
            #expect(view.centerX == 128 && view.centerY == 128)
            #expect((visit.camera == .b) == (view.top == 128 - view.radius) || visit.camera == .c)
            #expect(abs((view.top + view.bottom) / 2 - 128) < 1e-3)
        }
    }

    @Test(arguments: [true, false]) func transformsInvertAndScale(isMirrored: Bool) {
        let view = FieldOfView(centerX: 50, centerY: 60, radius: 40, top: 20, bottom: 100)
        let pose = PhantomPose(gaze: PhantomPoint(1, 0.5), rotation: 0.3, extent: 8, isMirrored: isMirrored)
        let transform = pose.transform(view)
        #expect(abs(transform.scale - 5) < 1e-4)
        for point in [PhantomPoint(0, 0), PhantomPoint(4.8, -0.4), PhantomPoint(-3, 7)] {
            #expect(length(transform.eye(transform.picture(point)) - point) < 1e-4)
        }
        #expect(length(transform.picture(pose.gaze) - PhantomPoint(50, 60)) < 1e-4)
        // x of a left eye points to the left of its picture.
        let nasal = transform.picture(pose.gaze + PhantomPoint(1, 0)) - PhantomPoint(50, 60)
        #expect((nasal.x < 0) == isMirrored)
    }
}
