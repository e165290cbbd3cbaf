import Cohorts
import Files
import Phantoms
import Support
import Testing

@Suite struct PhantomIdentityTests {
    private func generator(_ patients: Int, size: Int = 64, visits: Int = 1, seed: UInt64 = 20) throws
        -> PhantomGenerator
    {
        try PhantomGenerator(patients: patients, size: size, visits: visits, seed: seed)
    }

    private func equal(_ a: Phantom, _ b: Phantom) -> Bool {
        a.pixels == b.pixels && a.masks == b.masks && a.cohort == b.cohort && a.fieldOfView == b.fieldOfView
            && a.eye.patient == b.eye.patient
    }

    @Test func aPhantomIsTheSameAloneAndInABatchOnAnyThreads() throws {
        let generator = try generator(4, visits: 2)
        let one = generator.phantoms(0..<8, threads: 1)
        let two = generator.phantoms(0..<8, threads: 2)
        let five = generator.phantoms(1..<8, threads: 5)
        try #require(one.count == 8 && two.count == 8 && five.count == 7)
        for i in 0..<8 {
            let alone = generator.phantom(i)
            #expect(equal(one[i], alone) && equal(two[i], alone), "phantom \(i)")
            if i > 0 { #expect(equal(five[i - 1], alone), "phantom \(i) of a later range") }
        }
        // Nor does the number of others matter.
        #expect(equal(try self.generator(900, visits: 2).phantom(5), one[5]))
    }

    @Test func theSeedThePatientAndTheVisitMatter() throws {
        let phantoms = try generator(2, visits: 2).phantoms(0..<4, threads: 1)
        let other = try generator(2, visits: 2, seed: 21).phantom(0)
        for (i, a) in phantoms.enumerated() {
            #expect(a.pixels != other.pixels)
            for b in phantoms[(i + 1)...] { #expect(a.pixels != b.pixels) }
        }
        #expect(phantoms[0].eye.vessels == phantoms[1].eye.vessels)
        #expect(phantoms[0].eye.lesions == phantoms[1].eye.lesions)
        #expect(phantoms[0].eye.vessels != phantoms[2].eye.vessels)
        #expect(phantoms[0].eye.vessels != other.eye.vessels)
    }

    @Test func cohortsFollowTheSchema() throws {
        let phantoms = try generator(12, size: 32, visits: 2).phantoms(0..<24, threads: 2)
        for phantom in phantoms {
            let cohort = phantom.record.cohort
            #expect(
                Set(cohort.values.keys) == [
                    "dr_icdr", "dme", "disease", "age_band", "sex", "ethnicity", "laterality", "field", "camera",
                    "quality",
                ])
            for (name, value) in cohort.values {
                let attribute = try #require(CohortSchema.attribute(name), "\(name)")
                #expect(attribute.isOpen || attribute.names.contains(value), "\(name) \(value)")
            }
            #expect(cohort["dr_icdr"] == String(phantom.eye.patient.grade))
            #expect((cohort["disease"] == "healthy") == (phantom.eye.patient.grade == 0))
            #expect(cohort["camera"] == phantom.visit.camera.rawValue)
        }
        for pair in stride(from: 0, to: 24, by: 2) {
            for name in ["dr_icdr", "dme", "age_band", "sex", "laterality"] {
                #expect(phantoms[pair].cohort[name] == phantoms[pair + 1].cohort[name], "visits differ in \(name)")
            }
            #expect(phantoms[pair].record.patient == phantoms[pair + 1].record.patient)
            #expect(phantoms[pair].record.split == phantoms[pair + 1].record.split)
        }
    }

    @Test func patientsAreBalancedAndVaried() {
        let patients = (0..<200).map { PhantomPatient(seed: 5, number: $0) }
        for grade in 0...4 { #expect(patients.count { $0.grade == grade } == 40) }
        #expect(patients.count { $0.split == .train } == 160)
        #expect(patients.count { $0.split == .validation } == 20)
        #expect(patients.count { $0.split == .holdout } == 20)
        // Not in a fixed order.
        #expect(Set(stride(from: 0, to: 200, by: 5).map { patients[$0].grade }).count == 5)
        #expect(Set(stride(from: 0, to: 200, by: 10).map { patients[$0].split }).count > 1)
        #expect((70...130).contains(patients.count { $0.sex == "female" }))
        #expect((70...130).contains(patients.count { $0.laterality == .left }))
        #expect(patients[123].key == "phantom-000123")
        #expect(Set(patients.map(\.key)).count == 200)
    }

    @Test(arguments: [(0, 64, 1, "count"), (1, 31, 1, "size"), (1, 64, 0, "visits"), (1, 5000, 1, "size")])
    func numbersOutOfRangeAreRefused(patients: Int, size: Int, visits: Int, option: String) {
        let failure = expectFailure(.usage, "expected ") {
            try PhantomGenerator(patients: patients, size: size, visits: visits, seed: 1)
        }
        #expect(failure?.option == option)
    }
}
