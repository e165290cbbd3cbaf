import Phantoms
import Pictures
import Randomness
import TensorCore
import Testing
import Verdicts

@Suite(.serialized) struct DistanceFiguresTests {
    /// 60 phantoms to train on, 60 held out, 80 others.
    private static let phantoms: PictureSet = {
        guard let generator = try? PhantomGenerator(patients: 200, size: 64, seed: 51) else {
            fatalError("no phantoms")
        }
        return PictureSet(
            size: 64, pixels: generator.phantoms(0..<200, threads: 2).flatMap(\.pixels), patients: Array(0..<200))
    }()
    private static let train = phantoms.selecting(Array(0..<60)), holdout = phantoms.selecting(Array(60..<120)),
        others = phantoms.selecting(Array(120..<200))

    /// Photographs with some noise, as a model that copies makes them.
    private static func copies(_ set: PictureSet, noise: Double) -> PictureSet {
        let pictures = (0..<80).map { number in
            var random = Philox(seed: 3, stream: .tests, index: UInt64(number))
            var picture = set[number * set.count / 80]
            for y in 0..<64 {
                for x in 0..<64 where picture[x, y] != SIMD3(0, 0, 0) {
                    let old = picture[x, y]
                    func level(_ value: UInt8) -> UInt8 {
                        UInt8(min(255, max(1, Double(value) + noise * random.nextNormal())))
                    }
                    picture[x, y] = SIMD3(level(old.x), level(old.y), level(old.z))
                }
            }
            return number % 2 == 0 ? picture : picture.mirrored
        }
        return PictureSet(pictures, size: 64, patients: Array(0..<80))
    }

    private static let honest = DistanceFigures(samples: others, train: train, holdout: holdout)
    private static let copying = DistanceFigures(samples: copies(train, noise: 8), train: train, holdout: holdout)

    @Test func `C_T alarms for noisy copies, plain and mirrored, and not for other eyes`() {
        #expect(Self.copying.dataCopying.zScore < -3, "\(Self.copying.dataCopying.zScore)")
        #expect(abs(Self.honest.dataCopying.zScore) < 3, "\(Self.honest.dataCopying.zScore)")
        #expect(Self.copying.dataCopying.cells >= 1 && Self.honest.dataCopying.cells >= 1)
    }

    @Test func `each measure tells the training side of copies from the holdout's, and neither of other eyes`() {
        let copying = Self.copying, honest = Self.honest
        // Copies lie nearer to their photograph than that to its own neighbour: not authentic, a small ratio, a small
        // distance.
        for (name, measure) in [
            ("authenticity", copying.authenticity), ("ratio", copying.nearestNeighborDistanceRatio),
            ("distance", copying.distanceToClosestRecord),
            ("adversarial accuracy", copying.adversarialAccuracy),
        ] {
            #expect(measure.difference.high < 0 && measure.difference.value < 0, "\(name): \(measure)")
            #expect(measure.train < measure.holdout, "\(name)")
        }
        for (name, measure) in [
            ("authenticity", honest.authenticity), ("distance", honest.distanceToClosestRecord),
            ("adversarial accuracy", honest.adversarialAccuracy),
        ] {
            #expect(measure.difference.low <= 0 && measure.difference.high >= 0, "\(name): \(measure)")
        }
    }

    /// But for C_T, which looks at distances to the training photographs alone: copies of the holdout are as far from
    /// them as the holdout.
    @Test func `copies of the holdout turn every sign`() {
        let turned = DistanceFigures(
            samples: Self.copies(Self.holdout, noise: 8), train: Self.train, holdout: Self.holdout)
        #expect(abs(turned.dataCopying.zScore) < 3, "\(turned.dataCopying.zScore)")
        #expect(
            turned.adversarialAccuracy.difference.low > 0 && turned.authenticity.difference.low > 0
                && turned.distanceToClosestRecord.difference.low > 0)
    }
}
