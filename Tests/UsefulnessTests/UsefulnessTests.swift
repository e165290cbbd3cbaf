import Evaluation
import Files
import Foundation
import Randomness
import Statistics
import Testing
import Usefulness

/// A test set of one photograph for each patient, every `period`-th of which is a case.
private func testSet(_ count: Int, period: Int = 2, name: String = "holdout") -> TestSet {
    TestSet(
        name: name, labels: (0..<count).map { $0 % period == 0 ? 1 : 0 }, patients: Array(0..<count),
        cohorts: (0..<count).map { ["sex": $0 / period % 2 == 0 ? "female" : "male"] })
}

/// Probabilities of cases from scores that lie `distance` deviations apart. A part of the noise belongs to the patient,
/// and is the same in all trainings and arms; the photographs of a patient are all alike.
private func probabilities(_ set: TestSet, distance: (Int) -> Double, training: Int, salt: UInt64) -> [[Double]] {
    set.labels.indices.map { row in
        var shared = Philox(seed: salt, stream: .tests, index: UInt64(set.patients[row]))
        var own = Philox(seed: salt, stream: .tests, index: UInt64((training + 1) * 100_000 + set.patients[row]))
        let noise = 0.8 * shared.nextNormal() + 0.6 * own.nextNormal()
        let score = (set.labels[row] == 1 ? distance(row) : 0) + noise
        let share = 1 / (1 + exp(-score))
        return [1 - share, share]
    }
}

/// - Parameter scatter: by how much, in deviations, the distance of the scores differs between trainings.
private func predictions(
    _ arm: Arm, validation: TestSet, test: TestSet, salt: UInt64, scatter: Double = 0,
    distance: @escaping (Int) -> Double
) -> ArmPredictions {
    let place = Arm.all(adding: [100]).firstIndex(of: arm) ?? 0
    return ArmPredictions(
        arm,
        (0..<3).map { training in
            let number = 10 * place + training
            var chance = Philox(seed: salt, stream: .tests, index: UInt64(7_000_000 + number))
            let shift = scatter * chance.nextNormal()
            func shown(_ set: TestSet, _ salt: UInt64) -> [[Double]] {
                probabilities(set, distance: { distance($0) + shift }, training: number, salt: salt)
            }
            return ArmPrediction(
                validation: shown(validation, salt + 1_000_000), tests: [shown(test, salt)], synthetic: [])
        })
}

private func figures(
    test: TestSet, validation: TestSet = testSet(80), salt: UInt64, scatter: Double = 0,
    gain: @escaping (Int) -> Double
) throws -> UsefulnessFigures {
    let task = try ClassificationTask(
        attribute: "dme", positive: ["1", "2"], values: ["0", "1", "2"], place: "site.h5")
    let base = { (_: Int) in 1.0 }
    return UsefulnessFigures(
        [
            predictions(
                .resampled, validation: validation, test: test, salt: salt, scatter: scatter, distance: base),
            predictions(.addedResampled(100), validation: validation, test: test, salt: salt, scatter: scatter) {
                1 + gain($0)
            },
        ], validation: validation, tests: [test], task: task, by: ["sex"], resamples: 500, seed: salt)
}

@Suite("Whether synthetic pictures help")
struct UsefulnessTests {
    @Test("an area by weights is the area of rows that are there so often")
    func weighted() {
        var random = Philox(seed: 3, stream: .tests, index: 0)
        let scores = (0..<60).map { _ in Double(random.nextInteger(below: 12)) }
        let isCase = (0..<60).map { _ in random.nextUniform() < 0.4 }
        let weights = (0..<60).map { _ in Double(random.nextInteger(below: 4)) }
        func repeated(_ wanted: Bool) -> [Double] {
            scores.indices.filter { isCase[$0] == wanted }.flatMap {
                [Double](repeating: scores[$0], count: Int(weights[$0]))
            }
        }
        let found = RankedScores(scores, isCase: isCase).area(weights)
        #expect(abs(found - RankTest.areaUnderCurve(repeated(true), above: repeated(false))) < 1e-12)
        #expect(RankedScores([1, 2], isCase: [true, false]).area([1, 0]).isNaN)
    }

    @Test("a gain is found, and named with its size")
    func gain() throws {
        let found = try figures(test: testSet(300), salt: 1) { _ in 1.2 }
        let test = try #require(found.tests.first)
        #expect(test.verdict == .helps)
        let all = try #require(test.comparisons.first)
        #expect(all.cell == "all" && all.difference.low > 0 && all.patients == 300)
        #expect(test.sentence(found.task).contains("holdout the synthetic pictures help"))
        #expect(test.sentence(found.task).contains("dme 1, 2"))
        let base = try #require(test.arms.first { $0.name == "resampled" })
        let other = try #require(test.arms.first { $0.isSynthetic })
        // Scores one deviation apart have the area Phi(1 / sqrt 2) = 0.76; 2.2 apart, 0.94.
        #expect(abs(base.area.value - 0.76) < 0.06)
        #expect(abs(other.area.value - 0.94) < 0.04)
        #expect(base.area.low < base.area.value && base.area.value < base.area.high)
        // Near 1 there is less room above than below.
        #expect(other.area.high < 1 && other.area.high - other.area.value < other.area.value - other.area.low)
        #expect(Set(base.cells.keys) == ["sex female", "sex male"])
        #expect((base.gap ?? -1) >= 0 && base.kappa != nil && base.sensitivity != nil)
    }

    @Test("a loss is called harm; a gain of one sex and a loss of the other are both named")
    func harm() throws {
        let harmed = try figures(test: testSet(300), salt: 2) { _ in -0.9 }
        #expect(harmed.tests.first?.verdict == .harms)
        #expect(harmed.tests.first?.sentence(harmed.task).contains("falls by") == true)
        let test = testSet(600)
        let mixed = try figures(test: test, salt: 3) { test.cohorts[$0]["sex"] == "female" ? 1.5 : -0.9 }
        let found = try #require(mixed.tests.first)
        #expect(found.verdict == .mixed)
        let sentence = found.sentence(mixed.task)
        #expect(sentence.contains("for sex female") && sentence.contains("for sex male"))
    }

    @Test("where nothing is gained, help is claimed in at most one of twenty, and harm, too")
    func falseClaims() throws {
        var helps = 0, harms = 0
        for salt in 0..<20 {
            let found = try figures(test: testSet(200), salt: UInt64(100 + salt)) { _ in 0 }
            switch found.tests.first?.verdict {
            case .helps, .mixed: helps += 1
            case .harms: harms += 1
            default: break
            }
        }
        #expect(helps <= 1 && harms <= 1, "\(helps) helps, \(harms) harms")
    }

    @Test("where trainings differ more than patients do, three of them claim nothing, and more trainings are asked for")
    func trainings() throws {
        var claims = 0, shares: [Double] = [], sentences: [String] = []
        for salt in 0..<60 {
            let found = try figures(test: testSet(300), salt: UInt64(300 + salt), scatter: 1) { _ in 0 }
            let test = try #require(found.tests.first)
            if test.verdict != .noDifference { claims += 1 }
            shares += test.comparisons.first.map { [$0.shareOfTrainings] } ?? []
            #expect(test.arms.allSatisfy { $0.trainings.count == 3 })
            sentences.append(test.sentence(found.task))
        }
        // Where the three trainings were drawn again as the patients are, something was claimed in 15 of 60.
        #expect(claims <= 5, "\(claims)")
        #expect(shares.sorted()[30] > 0.5)
        #expect(sentences.count { $0.contains("trainings of each way") } > 30, "\(sentences)")
    }

    @Test("an answer that more patients would give says how many")
    func more() throws {
        let found = try figures(test: testSet(60), salt: 5) { _ in 0 }
        let sentence = try #require(found.tests.first).sentence(found.task)
        #expect(sentence.contains("no difference is shown") && sentence.contains("more patients"), "\(sentence)")
    }

    @Test("fewer than ten patients of a class are not measured")
    func few() throws {
        let found = try figures(test: testSet(60, period: 8), salt: 6) { _ in 0 }
        let test = try #require(found.tests.first)
        #expect(test.verdict == .notMeasured && test.arms.isEmpty && test.unmeasured.contains("all"))
        #expect(test.sentence(found.task).contains("nothing can be said"))
        #expect(throws: Never.self) { try JSONEncoder().encode(found) }
    }

    @Test("the arms are chosen by validation photographs where there are enough, and are the declared ones elsewhere")
    func choice() throws {
        let task = try ClassificationTask(attribute: "dme", positive: ["1"], values: ["0", "1"], place: "site.h5")
        func chosen(_ validation: TestSet) -> ArmChoice {
            let test = testSet(60)
            let distances: [(Arm, Double)] = [
                (.real, 3), (.resampled, 1), (.added(50), 3), (.addedResampled(100), 1), (.syntheticOnly, 0.5),
            ]
            return UsefulnessFigures(
                distances.map { arm, distance in
                    predictions(arm, validation: validation, test: test, salt: 9) { _ in distance }
                }, validation: validation, tests: [test], task: task, by: [], resamples: 50
            ).choice
        }
        let many = chosen(testSet(100))
        #expect(many.isByValidation && many.baseline == "real" && many.synthetic == "added-50")
        #expect(many.validation.count == 5)
        let few = chosen(testSet(12))
        #expect(!few.isByValidation && few.baseline == "resampled" && few.synthetic == "added-100-resampled")
    }

    @Test("photographs of a patient are drawn together")
    func patients() throws {
        // Ten equal photographs each of sixty patients tell as much as one of each, and less than six hundred patients.
        let few = testSet(60), many = testSet(600)
        let grouped = TestSet(
            name: "grouped", labels: (0..<600).map { $0 / 10 % 2 == 0 ? 1 : 0 }, patients: (0..<600).map { $0 / 10 },
            cohorts: many.cohorts)
        func width(_ set: TestSet) throws -> Double {
            let area = try #require(figures(test: set, salt: 8) { _ in 0 }.tests.first?.arms.first).area
            return area.high - area.low
        }
        let ofFew = try width(few), ofGrouped = try width(grouped), ofMany = try width(many)
        #expect(grouped.patientCount == 60)
        #expect(abs(ofGrouped / ofFew - 1) < 0.1, "\(ofGrouped) and \(ofFew)")
        #expect(ofGrouped > 2 * ofMany, "\(ofGrouped) and \(ofMany)")
    }
}

@Suite("What is read where something was asked")
struct ObedienceTests {
    @Test("shares of photographs of fewer than ten patients are not told; those of synthetic pictures are")
    func few() {
        func labels(_ patients: [Int]?) -> ReadLabels {
            ReadLabels(
                labels: (0..<24).map { $0 < 20 ? 0 : 1 },
                probabilities: (0..<24).map { $0 % 4 == 0 ? [0.2, 0.8] : [0.8, 0.2] }, patients: patients, classes: 3)
        }
        func figures(_ patients: [Int]?) -> ObedienceFigures {
            ObedienceFigures(
                attribute: "dme", classes: ["0", "1", "2"], photographs: labels(patients), synthetic: labels(nil),
                isOrdinal: true)
        }
        let found = figures(Array(0..<24))
        #expect(found.photographs.shares == [[0.75, 0.25, 0], [], []])
        #expect(found.synthetic.shares == [[0.75, 0.25, 0], [0.75, 0.25, 0], []])
        // (0.75 + 0.25) / 2
        #expect(abs(found.synthetic.balancedAccuracy.value - 0.5) < 1e-12)
        #expect(abs(found.difference.value) < 1e-12 && found.difference.low < 0 && found.difference.high > 0)
        #expect(figures([Int](repeating: 3, count: 24)).photographs.shares == [[], [], []])
    }

    @Test("samples that are read as rightly as photographs, more and less so, get different sentences")
    func sentences() {
        // Of two classes with as many pictures, so many are read rightly.
        func labels(_ share: Double, count: Int, patients: Bool) -> ReadLabels {
            let asked = (0..<count).map { $0 % 2 }
            let read = (0..<count).map { Double($0 / 2) < share * Double(count / 2) ? $0 % 2 : 1 - $0 % 2 }
            return ReadLabels(
                labels: asked, probabilities: read.map { $0 == 0 ? [0.9, 0.1] : [0.1, 0.9] },
                patients: patients ? Array(0..<count) : nil, classes: 2)
        }
        func figures(_ synthetic: Double, _ photographs: Double, count: Int = 400) -> ObedienceFigures {
            ObedienceFigures(
                attribute: "dme", classes: ["0", "2"], photographs: labels(photographs, count: count, patients: true),
                synthetic: labels(synthetic, count: count, patients: false), isOrdinal: true)
        }
        #expect(figures(0.65, 0.8).sentence.contains("less clearly"))
        #expect(figures(0.9, 0.8).sentence.contains("more clearly"))
        #expect(figures(0.8, 0.8).sentence.contains("No difference from photographs is shown: 80.0 % are read rightly"))
        // Of sixty photographs and samples, ten points are no difference yet, and the interval says so.
        let few = figures(0.7, 0.8, count: 60)
        #expect(few.sentence.contains("No difference") && few.sentence.contains("difference -10.0 points"))
        #expect(few.difference.low < -0.2 && few.difference.high > 0)
        #expect(figures(0.5, 0.8).sentence.contains("do not show"))
        #expect(figures(0.9, 0.5).sentence.contains("cannot read"))
    }
}

@Suite("What a classifier is to tell")
struct ClassificationTaskTests {
    @Test("values in the schema's order, without those that stand outside the order")
    func classes() throws {
        let task = try ClassificationTask(
            attribute: "dr_icdr", positive: [], values: ["4", "0", "2", "ungradable"], place: "site.h5")
        #expect(task.classes == ["0", "2", "4"] && task.isOrdinal && !task.isBinary)
        #expect(task.label(of: ["dr_icdr": "4"]) == 2)
        #expect(task.label(of: ["dr_icdr": "ungradable"]) == nil && task.label(of: ["sex": "male"]) == nil)
        let cases = try ClassificationTask(
            attribute: "dr_icdr", positive: ["2", "3", "4"], values: ["0", "1", "2", "4"], place: "site.h5")
        #expect(cases.classes == ["0, 1", "2, 4"] && cases.isBinary && cases.label(of: ["dr_icdr": "2"]) == 1)
        let open = try ClassificationTask(attribute: "camera", positive: [], values: ["b", "a"], place: "site.h5")
        #expect(open.classes == ["a", "b"] && !open.isOrdinal)
    }

    @Test("one class, none, and wrong names are refused with a sentence")
    func refused() {
        func failure(_ attribute: String, _ positive: [String], _ values: Set<String>) -> Failure? {
            #expect(throws: Failure.self) {
                try ClassificationTask(attribute: attribute, positive: positive, values: values, place: "site.h5")
            }
        }
        #expect(failure("dme", [], ["1"])?.sentence.contains("one class: dme=1") == true)
        #expect(failure("dme", [], [])?.sentence.contains("unknown everywhere") == true)
        #expect(failure("dme", ["2"], ["0", "1"])?.kind == .badData)
        #expect(failure("dme", ["7"], ["0", "1"])?.kind == .usage)
        #expect(failure("grade", [], ["0", "1"])?.kind == .usage)
    }
}
