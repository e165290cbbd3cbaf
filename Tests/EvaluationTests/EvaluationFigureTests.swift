import Evaluation
import Statistics
import Testing

/// What reference packages make of the same inputs; `Tools/reference/evaluation_figures.py` wrote it.
private struct Reference: Decodable {
    struct Distances: Decodable {
        let photographs, samples: [[Double]]
        let neighbours: Int
        let kernel, frechet, precision, recall, density, coverage: Double
    }

    struct Classifier: Decodable {
        let probabilities: [Double]
        let outcomes: [Bool]
        let area, sensitivity90, brier, expectedError, slope, intercept: Double
    }

    struct Grades: Decodable {
        let truth, found: [Int]
        let kappa: Double
    }

    struct Discoveries: Decodable {
        let probabilities, adjusted: [Double]
    }

    let distances: [Distances]
    let classifiers: [Classifier]
    let grades: [Grades]
    let discoveries: Discoveries

    static let all: Reference = fixture("figures.json")
}

@Suite("Figures of an evaluation agree with reference packages")
struct EvaluationFigureTests {
    @Test("distances and coverage: scikit-learn, scipy, prdc", arguments: 0..<3)
    func distances(_ number: Int) throws {
        try #require(Reference.all.distances.count == 3)
        let reference = Reference.all.distances[number]
        let photographs = FeatureRows(reference.photographs), samples = FeatureRows(reference.samples)
        #expect(isNear(FeatureDistance.kernel(photographs, samples), reference.kernel, 1e-9))
        #expect(isNear(FeatureDistance.frechet(photographs, samples), reference.frechet, 1e-7))
        let found = Coverage(photographs: photographs, samples: samples, neighbours: reference.neighbours)
        #expect(isNear(found.precision, reference.precision, 1e-12))
        #expect(isNear(found.recall, reference.recall, 1e-12))
        #expect(isNear(found.density, reference.density, 1e-12))
        #expect(isNear(found.coverage, reference.coverage, 1e-12))
    }

    @Test("the same pictures have no Fréchet distance, and full coverage")
    func same() {
        let rows = FeatureRows(Reference.all.distances[0].photographs)
        #expect(abs(FeatureDistance.frechet(rows, rows)) < 1e-9)
        let found = Coverage(photographs: rows, samples: rows)
        #expect(found.precision == 1 && found.recall == 1 && found.coverage == 1)
        // Features of which one is a multiple of another have no inverse, which is no hindrance.
        let doubled = FeatureRows(Reference.all.distances[0].photographs.map { $0 + $0.map { 2 * $0 } })
        let moved = FeatureRows(Reference.all.distances[0].samples.map { $0 + $0.map { 2 * $0 } })
        let plain = FeatureDistance.frechet(rows, FeatureRows(Reference.all.distances[0].samples))
        #expect(isNear(FeatureDistance.frechet(doubled, moved), 5 * plain, 1e-6))
    }

    @Test("classifiers: scikit-learn", arguments: 0..<2)
    func classifiers(_ number: Int) throws {
        try #require(Reference.all.classifiers.count == 2)
        let reference = Reference.all.classifiers[number]
        let cases = zip(reference.probabilities, reference.outcomes)
        let curve = RocCurve(
            members: cases.filter { $0.1 }.map(\.0), nonMembers: cases.filter { !$0.1 }.map(\.0))
        #expect(isNear(curve.area, reference.area, 1e-12))
        #expect(isNear(curve.sensitivity(atSpecificity: 0.9), reference.sensitivity90, 1e-12))
        let found = Calibration(reference.probabilities, reference.outcomes)
        #expect(isNear(found.brier, reference.brier, 1e-12))
        #expect(isNear(found.expectedError, reference.expectedError, 1e-12))
        #expect(isNear(found.slope, reference.slope), "\(found) \(reference.slope)")
        #expect(isNear(found.intercept, reference.intercept), "\(found) \(reference.intercept)")
    }

    @Test("outcomes that are all the same, or that the probabilities separate, have no slope")
    func withoutSlope() {
        #expect(Calibration([0.1, 0.6, 0.9], [true, true, true]).slope == nil)
        #expect(Calibration([0.1, 0.2, 0.8, 0.9], [false, false, true, true]).slope == nil)
        let certain = Calibration([0, 1, 1, 0], [false, true, true, false])
        #expect(certain.brier == 0 && certain.expectedError == 0 && certain.slope == nil)
    }

    @Test("the order of cases of one probability does not matter")
    func ties() {
        let probabilities = [Double](repeating: 0.5, count: 100)
        let sorted = Calibration(probabilities, (0..<100).map { $0 < 50 })
        let mixed = Calibration(probabilities, (0..<100).map { $0 % 2 == 0 })
        #expect(sorted.expectedError == mixed.expectedError && abs(sorted.expectedError) < 1e-12)
        let half = Calibration([0.2, 0.2, 0.9, 0.9], [true, false, true, true], bins: 2)
        #expect(abs(half.expectedError - (0.3 + 0.1) / 2) < 1e-12)
    }

    @Test("grades: scikit-learn", arguments: 0..<2)
    func grades(_ number: Int) throws {
        try #require(Reference.all.grades.count == 2)
        let reference = Reference.all.grades[number]
        #expect(isNear(quadraticKappa(reference.truth, reference.found), reference.kappa, 1e-12))
        #expect(quadraticKappa([0, 1, 2], [0, 1, 2]) == 1 && quadraticKappa([3, 3], [3, 3]).isNaN)
    }

    @Test("many comparisons: scipy")
    func discoveries() {
        let reference = Reference.all.discoveries, found = falseDiscoveryAdjusted(reference.probabilities)
        #expect(found.count == 12 && zip(found, reference.adjusted).allSatisfy { isNear($0, $1, 1e-12) })
    }
}
