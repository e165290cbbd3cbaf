import Auditing
import Testing

@Suite struct HoldoutPartsTests {
    /// Three photographs each of some patients.
    private func parts(_ patients: Int, others: [Int] = []) -> HoldoutParts {
        HoldoutParts(
            Array(0..<3 * patients), patient: { $0 >= 1000 ? "other \($0 / 2)" : "patient \($0 / 3)" },
            auxiliary: others)
    }

    private func patients(_ rows: [Int]) -> Set<Int> { Set(rows.map { $0 / 3 }) }

    @Test func `parts are disjoint, by patient, whole and of about the same size`() {
        let made = parts(31), all = [made.auxiliary, made.calibration, made.report]
        #expect(all.flatMap { $0 }.sorted() == Array(0..<93))
        #expect(all.map { patients($0).count }.sorted() == [10, 10, 11])
        #expect(all.map { $0.count } == all.map { 3 * patients($0).count })
    }

    @Test func `parts follow from the patients' keys alone, not from their order`() {
        let straight = parts(30)
        let turned = HoldoutParts(Array((0..<90).reversed()), patient: { "patient \($0 / 3)" })
        #expect(Set(turned.report) == Set(straight.report) && Set(turned.calibration) == Set(straight.calibration))
        let renamed = HoldoutParts(Array(0..<90), patient: { "someone \($0 / 3)" })
        #expect(renamed.report != straight.report)
    }

    @Test func `eight patients of a validation split are the auxiliary part, seven are part of the holdout`() {
        let validation = Array(1000..<1016), made = parts(30, others: validation)
        #expect(made.auxiliary == validation)
        #expect(patients(made.calibration).count == 15 && patients(made.report).count == 15)
        #expect(patients(made.calibration).isDisjoint(with: patients(made.report)))
        let few = parts(30, others: Array(1000..<1014)), all = few.auxiliary + few.calibration + few.report
        #expect(all.sorted() == Array(0..<90) + Array(1000..<1014))
        #expect(few.auxiliary.contains { $0 < 1000 })
        // A holdout of few patients takes them, too.
        let small = parts(15, others: validation)
        #expect(small.auxiliary.contains { $0 < 1000 } && (small.calibration + small.report).contains { $0 >= 1000 })
    }

    @Test func `a photograph more of a patient goes where the patient is`() {
        let before = HoldoutParts(Array(0..<60), patient: { "patient \($0 % 30)" })
        let after = HoldoutParts(Array(0..<90), patient: { "patient \($0 % 30)" })
        #expect(Set(before.report.map { $0 % 30 }) == Set(after.report.map { $0 % 30 }))
        #expect(Set(before.calibration).isSubset(of: Set(after.calibration)))
    }
}
