import Evaluation
import Testing

/// What reference packages make of the same features; `Tools/reference/fidelity_figures.py` wrote it.
private struct Reference: Decodable {
    struct Distance: Decodable {
        let photographs, samples: [[Double]]
        let distance: Double
    }

    struct Regression: Decodable {
        let rows: [[Double]], isSynthetic: [Bool], fold: [Int]
        let strength: Double, scores: [Double], area: Double
    }

    struct Variety: Decodable {
        let rows: [[Double]], score: Double
    }

    let radiomicDistances: [Distance], regressions: [Regression], varieties: [Variety]

    static let all: Reference = fixture("fidelity.json")
}

@Suite("Figures of fidelity agree with reference packages") struct FidelityReferenceTests {
    @Test("Fréchet radiomic distance: frd-score", arguments: 0..<2)
    func radiomic(_ number: Int) throws {
        try #require(Reference.all.radiomicDistances.count == 2)
        let reference = Reference.all.radiomicDistances[number]
        let photographs = FeatureRows(reference.photographs), samples = FeatureRows(reference.samples)
        #expect(isNear(FeatureDistance.radiomic(photographs: photographs, samples), reference.distance, 1e-6))
        // Which of the sets sets the scale matters.
        #expect(!isNear(FeatureDistance.radiomic(photographs: samples, photographs), reference.distance, 1e-3))
        // In other units it is the same.
        let scaled = [reference.photographs, reference.samples].map { rows in
            FeatureRows(rows.map { $0.map { 1000 * $0 + 7 } })
        }
        #expect(isNear(FeatureDistance.radiomic(photographs: scaled[0], scaled[1]), reference.distance, 1e-6))
    }

    @Test("sets without a Fréchet radiomic distance")
    func noRadiomic() {
        let constant = FeatureRows([[1, 2], [1, 2], [1, 2]])
        #expect(FeatureDistance.radiomic(photographs: constant, constant) == nil)
    }

    @Test("the Fréchet distance of fewer pictures than features is that of more features than pictures")
    func wide() {
        let reference = Reference.all.radiomicDistances[0]
        let photographs = reference.photographs.prefix(7), samples = reference.samples.prefix(9)
        let plain = FeatureDistance.frechet(FeatureRows(Array(photographs)), FeatureRows(Array(samples)))
        func repeated(_ row: [Double]) -> [Double] { (0..<5).flatMap { _ in row } }
        let wide = FeatureDistance.frechet(
            FeatureRows(photographs.map(repeated)), FeatureRows(samples.map(repeated)))
        #expect(isNear(wide, 5 * plain, 1e-6), "\(wide) \(5 * plain)")
        let other = FeatureDistance.frechet(
            FeatureRows(samples.map(repeated)), FeatureRows(photographs.map(repeated)))
        #expect(isNear(other, wide, 1e-6))
    }

    @Test("cross-validated logistic regression: scikit-learn", arguments: 0..<2)
    func regressions(_ number: Int) throws {
        try #require(Reference.all.regressions.count == 2)
        let reference = Reference.all.regressions[number]
        let found = CrossValidatedClassifier(
            FeatureRows(reference.rows), isSecond: reference.isSynthetic, folds: reference.fold,
            strength: reference.strength)
        #expect(found.scores.count == reference.scores.count)
        for (score, expected) in zip(found.scores, reference.scores) { #expect(isNear(score, expected, 1e-5)) }
        #expect(isNear(found.area, reference.area, 1e-12))
    }

    @Test("Vendi score: vendi-score", arguments: 0..<2)
    func varieties(_ number: Int) throws {
        try #require(Reference.all.varieties.count == 2)
        let reference = Reference.all.varieties[number]
        #expect(isNear(vendiScore(FeatureRows(reference.rows)), reference.score, 1e-9))
        let same = FeatureRows((0..<9).map { _ in reference.rows[0] })
        #expect(isNear(vendiScore(same), 1, 1e-6))
    }
}
