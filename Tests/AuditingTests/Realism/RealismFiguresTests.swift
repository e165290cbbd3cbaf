import Auditing
import Phantoms
import Pictures
import Randomness
import TensorCore
import Testing
import SampleStore
import Verdicts

@Suite(.serialized) struct RealismFiguresTests {
    private static let phantoms: PictureSet = {
        guard let generator = try? PhantomGenerator(patients: 180, size: 64, seed: 52) else {
            fatalError("no phantoms")
        }
        return PictureSet(
            size: 64, pixels: generator.phantoms(0..<180, threads: 2).flatMap(\.pixels), patients: Array(0..<180))
    }()
    private static let train = phantoms.selecting(Array(0..<80)), holdout = phantoms.selecting(Array(80..<120)),
        others = phantoms.selecting(Array(120..<180))

    /// The figures of the other phantoms after `change` of each picture.
    private func figures(_ change: (Picture, Int) -> Picture) -> RealismFigures {
        let pictures = (0..<Self.others.count).map { change(Self.others[$0], $0) }
        return RealismFigures(
            samples: PictureSet(pictures, size: 64, patients: Array(pictures.indices)), train: Self.train,
            holdout: Self.holdout)
    }

    /// A picture plus Gaussian noise of some levels, inside the eye and outside.
    private func noisy(_ picture: Picture, _ index: Int, levels: Double) -> Picture {
        var random = Philox(seed: 7, stream: .tests, index: UInt64(index)), result = picture
        for i in result.pixels.indices {
            result.pixels[i] = UInt8(min(255, max(0, Double(result.pixels[i]) + levels * random.nextNormal())))
        }
        return result
    }

    @Test func `other eyes of the same kind cannot be told apart and are near`() {
        let found = figures { picture, _ in picture }
        #expect(abs(found.classifierArea - 0.5) < 0.15, "\(found)")
        #expect(found.distance < 0.4 && found.holdoutDistance < 0.4, "\(found)")
        #expect(!Verdict.areNoPhotographs(found, AuditPolicy()))
    }

    @Test func `noise and a single colour are no photographs`() {
        let grey = Picture(width: 64, height: 64, red: 128, green: 128, blue: 128)
        let noise = figures { _, index in noisy(grey, index, levels: 80) }
        #expect(noise.distance > 2 && noise.classifierArea > 0.99, "\(noise)")
        #expect(Verdict.areNoPhotographs(noise, AuditPolicy()))
        let flat = figures { _, _ in Picture(width: 64, height: 64, red: 90, green: 40, blue: 20) }
        #expect(Verdict.areNoPhotographs(flat, AuditPolicy()), "\(flat)")
        let black = figures { _, _ in Picture(width: 64, height: 64) }
        #expect(Verdict.areNoPhotographs(black, AuditPolicy()), "\(black)")
    }

    @Test func `more noise is farther, and a little is still a photograph`() {
        let distances = [2.0, 8, 30].map { levels in figures { noisy($0, $1, levels: levels) } }
        #expect(distances[0].distance < distances[1].distance && distances[1].distance < distances[2].distance)
        #expect(!Verdict.areNoPhotographs(distances[0], AuditPolicy()), "\(distances[0])")
        #expect(Verdict.areNoPhotographs(distances[2], AuditPolicy()), "\(distances[2])")
    }

    @Test func `another camera is a photograph although the classifier tells it apart`() {
        // Brighter, redder, and less of the field of view.
        let found = figures { picture, _ in
            var result = picture
            for i in 0..<64 * 64 {
                let (x, y) = (Double(i % 64) - 31.5, Double(i / 64) - 31.5)
                let isInside = x * x + y * y < 26 * 26
                for channel in 0..<3 {
                    let value = Double(result.pixels[3 * i + channel])
                    result.pixels[3 * i + channel] = isInside ? UInt8(min(255, value * [1.2, 0.9, 0.8][channel])) : 0
                }
            }
            return result
        }
        #expect(found.classifierArea > 0.99 && found.distance > 0.4, "\(found)")
        #expect(!Verdict.areNoPhotographs(found, AuditPolicy()), "\(found)")
    }

    @Test func `figures that are not numbers are no photographs`() {
        for (area, distance) in [(Double.nan, 5), (1, .nan), (.nan, .nan)] {
            let made = RealismFigures(classifierArea: area, distance: distance, holdoutDistance: 0)
            #expect(Verdict.areNoPhotographs(made, AuditPolicy()))
        }
    }
}
