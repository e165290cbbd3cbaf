import Phantoms
import Testing

@Suite struct PhantomAnatomyTests {
    private func phantoms(grade: Int? = nil, count: Int, size: Int, seed: UInt64 = 8) -> [Phantom] {
        (0..<count * 5).lazy.map { PhantomPatient(seed: seed, number: $0) }
            .filter { grade == nil || $0.grade == grade }.prefix(count)
            .map { patient in
                let eye = PhantomEye(patient)
                return Phantom(eye, PhantomVisit(eye, number: 0), size: size)
            }
    }

    @Test(arguments: [64, 256]) func everythingOutsideTheFieldOfViewIsZero(size: Int) {
        for phantom in phantoms(count: size == 64 ? 10 : 3, size: size) {
            #expect(phantom.pixels.count == size * size * 3)
            let view = phantom.fieldOfView
            var brightOutside = 0, darkInside = 0, masked = 0, inside = 0
            for y in 0..<size {
                for x in 0..<size {
                    let point = PhantomPoint(Float(x) + 0.5, Float(y) + 0.5)
                    let distance = length(point - PhantomPoint(view.centerX, view.centerY))
                    let i = y * size + x
                    let isBlack = phantom.pixels[i * 3..<i * 3 + 3].allSatisfy { $0 == 0 }
                    if distance > view.radius || point.y < view.top || point.y > view.bottom {
                        if !isBlack { brightOutside += 1 }
                        for name in PhantomMasks.names where phantom.masks[name]?[i] != 0 { masked += 1 }
                    } else if distance < view.radius - 2 {
                        inside += 1
                        if isBlack { darkInside += 1 }
                    }
                }
            }
            #expect(brightOutside == 0)
            #expect(masked == 0)
            #expect(darkInside == 0)
            #expect(Float(inside) > 0.6 * Float(size * size))
        }
    }

    @Test func masksHoldOnlyInsideAndOutside() {
        for phantom in phantoms(grade: 4, count: 2, size: 128) {
            for name in PhantomMasks.names {
                let mask = phantom.masks[name] ?? []
                #expect(mask.count == 128 * 128, "\(name)")
                #expect(Set(mask) == [0, 255], "\(name)")
            }
            let vessels = Float(phantom.masks.vessels.count { $0 > 0 }) / (128 * 128)
            #expect((0.02...0.2).contains(vessels), "vessels cover \(vessels)")
            for (cup, disc) in zip(phantom.masks.opticCup, phantom.masks.opticDisc) where cup > 0 { #expect(disc > 0) }
        }
    }

    @Test func lesionsRiseWithTheGrade() {
        var areas: [Float] = []
        for grade in 0...4 {
            let group = phantoms(grade: grade, count: 6, size: 128)
            #expect(group.count == 6)
            let counts = group.map(\.eye.lesions.count)
            areas.append(mean(group.map { Float($0.masks.lesions.count { $0 > 0 }) }))
            if grade == 0 { #expect(counts.allSatisfy { $0 == 0 }) }
            if grade > 0 {
                let below = (0..<60).map { PhantomPatient(seed: 8, number: $0) }.filter { $0.grade == grade - 1 }
                let most = below.map { PhantomEye($0).lesions.count }.max() ?? .max
                #expect(counts.allSatisfy { $0 > most }, "grade \(grade): \(counts), the grade below has up to \(most)")
            }
            let kinds = Set(group.flatMap { $0.eye.lesions.map(\.kind) })
            if grade == 1 { #expect(kinds == [.microaneurysm]) }
            #expect(kinds.contains(.haemorrhage) == (grade >= 2))
            #expect(group.allSatisfy { ($0.eye.lesions.contains { $0.kind == .neovascularisation }) == (grade == 4) })
        }
        #expect(areas[0] == 0)
        for grade in 1...4 { #expect(areas[grade] > areas[grade - 1], "areas \(areas)") }
    }

    @Test func oedemaRiskFollowsExudatesNearTheFovea() {
        let eyes = (0..<60).map { PhantomEye(PhantomPatient(seed: 3, number: $0)) }
        #expect(Set(eyes.map(\.macularOedemaRisk)) == [0, 1, 2])
        for eye in eyes {
            let exudates = eye.lesions.filter { $0.kind == .hardExudate }
            let isNear = exudates.contains { length($0.center) <= 2 }
            #expect(eye.macularOedemaRisk == (exudates.isEmpty ? 0 : isNear ? 2 : 1))
        }
    }

    @Test func theDiscIsBrightestAndTheMaculaDarker() {
        for phantom in phantoms(grade: 0, count: 8, size: 128)
        where phantom.visit.quality == "good" && phantom.visit.field == .macula {
            let size = phantom.size
            var disc: [Float] = [], macula: [Float] = [], around: [Float] = [], vessels: [Float] = []
            for y in 0..<size {
                for x in 0..<size {
                    let i = y * size + x
                    let point = phantom.transform.eye(PhantomPoint(Float(x) + 0.5, Float(y) + 0.5))
                    let green = Float(phantom.pixels[i * 3 + 1])
                    let ring = length(point)
                    if phantom.masks.vessels[i] > 0 {
                        if (2...4.5).contains(ring), phantom.eye.opticDisc.level(point) > 1.5 { vessels.append(green) }
                    } else if phantom.masks.opticDisc[i] > 0 {
                        disc.append(green)
                    } else if ring < 0.5 {
                        macula.append(green)
                    } else if (2...4.5).contains(ring), phantom.eye.opticDisc.level(point) > 1.5 {
                        around.append(green)
                    }
                }
            }
            #expect(mean(disc) > mean(around) * 1.25)
            #expect(mean(macula) < mean(around) * 0.85)
            #expect(mean(vessels) < mean(around) * 0.9)
            #expect(phantom.masks.opticDisc[brightest(phantom)] > 0, "patient \(phantom.eye.patient.number)")
        }
    }

    /// The pixel around which 7 x 7 pixels are brightest in green.
    private func brightest(_ phantom: Phantom) -> Int {
        let size = phantom.size
        var best = (value: -1, pixel: 0)
        for y in 3..<size - 3 {
            for x in 3..<size - 3 {
                var sum = 0
                for v in y - 3...y + 3 { for u in x - 3...x + 3 { sum += Int(phantom.pixels[(v * size + u) * 3 + 1]) } }
                if sum > best.value { best = (sum, y * size + x) }
            }
        }
        return best.pixel
    }

    @Test func theDiscLiesNasallyAndBothEyesMirrorEachOther() {
        let all = phantoms(count: 12, size: 64)
        #expect(Set(all.map(\.eye.laterality)).count == 2)
        #expect((1...6).contains(all.count { $0.visit.field == .disc }))
        for phantom in all {
            let disc = phantom.transform.picture(phantom.eye.opticDisc.center)
            if phantom.visit.field == .disc {
                #expect(length(disc - 32) < 6, "a photograph of the disc has it at \(disc)")
            } else {
                // The nose is to the right of a right eye's picture.
                #expect((disc.x > 42) == (phantom.eye.laterality == .right))
                #expect((disc.x < 22) == (phantom.eye.laterality == .left))
            }
            #expect(phantom.masks.opticDisc[Int(disc.y) * 64 + Int(disc.x)] == 255)
            let angle = length(phantom.eye.opticDisc.center) * PhantomEye.degreesPerDiscRadius
            #expect((13.5...18).contains(angle), "disc at \(angle) degrees")
        }
        let patient = PhantomPatient(seed: 8, number: 0)
        let right = PhantomEye(patient, laterality: .right), left = PhantomEye(patient, laterality: .left)
        #expect(right.vessels != left.vessels)
        #expect(!PhantomVisit(right, number: 0).pose.isMirrored)
        #expect(PhantomVisit(left, number: 0).pose.isMirrored)
    }

    @Test func vesselsTaperAndLeaveTheFoveaFree() {
        for share: Float in [0.3, 0.5, 0.79] {
            let rest = PhantomVesselTree.rest(share)
            #expect(abs(share * share * share + rest * rest * rest - 1) < 1e-5)
            let angles = PhantomVesselTree.angles(share)
            #expect(angles.branch >= angles.main - 1e-3 && angles.branch < 1.6)
        }
        for number in 0..<10 {
            let eye = PhantomEye(PhantomPatient(seed: 6, number: number))
            #expect((60...400).contains(eye.vessels.count), "\(eye.vessels.count) vessels")
            for vessel in eye.vessels {
                #expect(vessel.points.count == vessel.radii.count)
                #expect(vessel.points.allSatisfy { length($0) > 0.45 })
                // The first points come out of the cup.
                #expect(vessel.radii[vessel.radii.count - 1] <= vessel.radii[min(5, vessel.radii.count - 1)])
                for (a, b) in zip(vessel.points, vessel.points.dropFirst()) { #expect(length(a - b) < 0.101) }
            }
            let reach = eye.vessels.map { $0.points.map { $0.x }.min() ?? 0 }.min() ?? 0
            #expect(reach < -4, "the arcades end at \(reach)")
        }
    }
}
