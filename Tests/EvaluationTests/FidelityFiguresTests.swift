import Evaluation
import Foundation
import Pictures
import Randomness
import Statistics
import TensorCore
import Testing

@Suite("Figures of fidelity", .serialized) struct FidelityFiguresTests {
    /// Normal features of pictures, [count, width].
    private static func rows(_ count: Int, shift: Double = 0, width: Int = 6, seed: UInt64) -> FeatureRows {
        FeatureRows(
            (0..<count).map { row in
                var random = Philox(seed: seed, stream: .tests, index: UInt64(row))
                return (0..<width).map { _ in shift + random.nextNormal() }
            })
    }

    /// Pictures that count alone, for features that are given.
    private static func blanks(_ patients: [Int]) -> PictureSet {
        PictureSet(size: 1, pixels: [UInt8](repeating: 0, count: 3 * patients.count), patients: patients)
    }

    private static func given(
        _ photographs: FeatureRows, _ synthetic: FeatureRows, patients: [Int]? = nil
    ) -> FidelityFigures {
        FidelityFigures(
            photographs: blanks(patients ?? Array(0..<photographs.count)),
            synthetic: blanks(Array(0..<synthetic.count)),
            kinds: [.given(name: "given", photographs: photographs, synthetic: synthetic)], seed: 5)
    }

    private static func figures(_ photographs: FeatureRows, _ synthetic: FeatureRows) throws -> FeatureFigures {
        try #require(given(photographs, synthetic).kinds[0].figures)
    }

    private static let photographs = rows(120, seed: 1)

    @Test("pictures of the same kind are as near as photographs are")
    func equal() throws {
        let found = try Self.figures(Self.photographs, Self.rows(100, seed: 2))
        #expect(found.picturesInHalf == 60)
        let distance = found.kernelDistance
        #expect(distance.value.low < 0.05 && abs(distance.value.value) < 0.2 && abs(distance.floor.value) < 0.1)
        #expect(found.classifierArea.value.low < 0.5 && found.classifierArea.value.high > 0.5)
        #expect(abs(found.classifierArea.floor.value - 0.5) < 0.08)
        for figure in [found.frechetDistance, found.precision, found.recall, found.coverage, found.variety] {
            #expect(abs(figure.value.value / figure.floor.value - 1) < 0.25, "\(figure)")
        }
        #expect(abs(found.nearestIsSynthetic.value.value - 0.5) < 0.12)
        #expect(abs(found.nearestIsSynthetic.floor.value - 0.5) < 0.12)
        #expect(found.radiomicDistance == nil)
    }

    @Test("pictures that are shifted are told apart")
    func shifted() throws {
        let found = try Self.figures(Self.photographs, Self.rows(100, shift: 2, seed: 2))
        #expect(found.classifierArea.value.low > 0.97 && found.classifierArea.floor.value < 0.6)
        #expect(found.kernelDistance.value.low > 10 * found.kernelDistance.floor.high)
        #expect(found.frechetDistance.value.low > 10 * found.frechetDistance.floor.high)
        #expect(found.precision.value.high < 0.4 && found.coverage.value.high < 0.2)
        #expect(found.nearestIsSynthetic.value.high < 0.2)
    }

    @Test("one picture again and again covers nothing")
    func repeated() throws {
        let photograph = Array(Self.photographs.elements[0..<6])
        let found = try Self.figures(Self.photographs, FeatureRows((0..<100).map { _ in photograph }))
        #expect(found.recall.value.high < 0.01 && found.coverage.value.high < 0.2)
        #expect(found.coverage.floor.low > 0.8 && found.variety.value.high < 1.01 && found.variety.floor.low > 3)
    }

    @Test("copies of the photographs crowd around them")
    func copies() throws {
        let found = try Self.figures(Self.photographs, Self.photographs)
        #expect(found.nearestIsSynthetic.value.low > 0.6 && found.nearestIsSynthetic.floor.high < 0.65)
    }

    @Test("the order of pictures does not matter, and the seed does")
    func order() {
        let patients = (0..<120).map { $0 / 2 }, synthetic = Self.rows(70, shift: 0.3, seed: 4)
        let found = Self.given(Self.photographs, synthetic, patients: patients)
        var random = Philox(seed: 9, stream: .tests, index: 0)
        let order = random.permutation(120), others = random.permutation(70)
        let again = Self.given(
            Self.photographs.selecting(order), synthetic.selecting(others), patients: order.map { patients[$0] })
        #expect(found == again && found.kinds[0].figures != nil)
        let features = FidelityFeatures(
            photographs: Self.blanks(patients), synthetic: Self.blanks(Array(0..<70)),
            kinds: [.given(name: "given", photographs: Self.photographs, synthetic: synthetic)])
        #expect(features.figures(seed: 5) == found && features.figures(seed: 6) != found)
        // A cohort's figures are those of its pictures alone.
        let (rows, fakes) = (Array(0..<60), Array(10..<50))
        let cohort = features.figures(photographs: rows, synthetic: fakes, seed: 5)
        let alone = Self.given(
            Self.photographs.selecting(rows), synthetic.selecting(fakes), patients: rows.map { patients[$0] })
        #expect(cohort == alone && cohort.photographs == 60 && cohort.patients == 30 && cohort.synthetic == 40)
        #expect(cohort.kinds[0].figures != nil && cohort != found)
    }

    @Test("photographs of one patient are always on one side")
    func patients() throws {
        // Ten photographs of each patient are nearly equal, which a classifier would learn.
        let eyes = Self.rows(24, width: 60, seed: 11).elements
        let many = FeatureRows(
            (0..<240).map { row -> [Double] in
                let eye = eyes[row / 10 * 60..<(row / 10 + 1) * 60]
                return eye.map { $0 + 1e-3 * Double(row % 10) }
            })
        let synthetic = Self.rows(240, width: 60, seed: 12)
        let together = Self.given(many, synthetic, patients: (0..<240).map { $0 / 10 })
        let joined = try #require(together.kinds[0].figures), single = try Self.figures(many, synthetic)
        let areas = [joined, single].map(\.classifierArea.value.value)
        #expect(areas[0] < areas[1] - 0.1, "\(areas)")
        #expect(joined.kernelDistance.floor.value > 5 * abs(single.kernelDistance.floor.value))
        let widths = [joined, single].map { $0.kernelDistance.value.high - $0.kernelDistance.value.low }
        #expect(widths[0] > 1.5 * widths[1], "\(widths)")
        #expect(joined.nearestIsSynthetic.value.value > single.nearestIsSynthetic.value.value + 0.3)
    }

    @Test("too few pictures, and features that are no numbers, have a reason")
    func missing() throws {
        let few = Self.given(Self.rows(19, seed: 1), Self.rows(50, seed: 2)).kinds[0]
        #expect(few.figures == nil && few.missing?.contains("19 patients") == true)
        let eyes = Self.given(Self.rows(60, seed: 1), Self.rows(50, seed: 2), patients: (0..<60).map { $0 / 4 })
        #expect(eyes.patients == 15 && eyes.kinds[0].figures == nil)
        #expect(Self.given(Self.rows(50, seed: 1), Self.rows(3, seed: 2)).kinds[0].missing?.contains("3 synth") == true)
        var wrong = (0..<30).map { [Double($0), 1] }
        let right = FeatureRows(wrong)
        wrong[3][0] = .nan
        #expect(Self.given(FeatureRows(wrong), right).kinds[0].missing?.contains("not numbers") == true)
        #expect(Self.given(right, FeatureRows(wrong)).kinds[0].figures == nil)
        let constant = FeatureRows((0..<30).map { _ in [3.0, 4] })
        #expect(Self.given(constant, right).kinds[0].missing?.contains("same") == true)
        let huge = FeatureRows((0..<30).map { [1e200 * Double($0), 1] })
        #expect(Self.given(huge, right).kinds[0].missing?.contains("larger") == true)
        let none = FidelityFigures(photographs: Self.blanks([]), synthetic: Self.blanks([]), seed: 1)
        #expect(none.kinds.count == 2 && none.kinds.allSatisfy { $0.missing?.contains("0 patients") == true })
        for figures in [Self.given(constant, right), Self.given(huge, right), none] {
            let text = try JSONEncoder().encode(figures)
            let read = try JSONDecoder().decode(FidelityFigures.self, from: text)
            #expect(read == figures)
        }
        // The least numbers are enough.
        #expect(Self.given(Self.rows(20, seed: 1), Self.rows(20, seed: 2)).kinds[0].figures != nil)
    }

    @Test("patients with nearly all photographs leave numbers")
    func uneven() throws {
        let patients = (0..<200).map { $0 < 180 ? $0 % 2 : $0 }
        let found = Self.given(Self.rows(200, seed: 1), Self.rows(20, seed: 2), patients: patients)
        #expect(found.patients == 22 && found.kinds[0].figures != nil)
        #expect(try !JSONEncoder().encode(found).isEmpty)
    }

    @Test("of very many pictures, some are drawn")
    func many() throws {
        let found = try Self.figures(Self.rows(1100, seed: 1), Self.rows(1300, seed: 2))
        #expect(found.picturesInHalf == FeatureFigures.mostPictures / 2)
    }

    @Test("the number of threads does not matter")
    func threads() {
        let before = ComputeEnvironment.threads
        defer { ComputeEnvironment.threads = before }
        let photographs = phantoms(24, seed: 7), synthetic = phantoms(20, seed: 8)
        let found = [1, 2, 5].map { threads in
            ComputeEnvironment.threads = threads
            return FidelityFigures(photographs: photographs, synthetic: synthetic, seed: 1)
        }
        #expect(found[0] == found[1] && found[0] == found[2] && found[0].kinds.allSatisfy { $0.figures != nil })
    }

    @Test("pictures: other eyes are near, and blurred ones are told apart", arguments: [48, 64])
    func pictures(_ size: Int) throws {
        let photographs = phantoms(48, seed: 52), others = phantoms(40, seed: 53).resized(to: size)
        let near = FidelityFigures(photographs: photographs, synthetic: others, seed: 1)
        let far = FidelityFigures(photographs: photographs, synthetic: blurred(others), seed: 1)
        #expect(near.kinds.map(\.name) == ["radiomic", "retina"])
        for (near, far) in zip(near.kinds, far.kinds) {
            let near = try #require(near.figures), far = try #require(far.figures)
            if size == 64 {
                #expect(near.classifierArea.value.value < 0.8, "\(near.classifierArea)")
                #expect(far.kernelDistance.value.low > near.kernelDistance.value.high)
            }
            #expect(far.classifierArea.value.value > 0.95, "\(far.classifierArea)")
        }
        #expect(near.kinds[0].figures?.radiomicDistance != nil && near.kinds[1].figures?.radiomicDistance == nil)
    }
}
