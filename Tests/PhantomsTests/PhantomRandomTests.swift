import Phantoms
import Testing

@Suite struct PhantomRandomTests {
    @Test func everyPartOfTheKeyMakesAnotherStream() {
        func first(_ seed: UInt64, _ patient: Int, _ eye: UInt32, _ purpose: PhantomRandom.Purpose, _ index: Int)
            -> UInt32
        {
            var random = PhantomRandom(seed: seed, patient: patient, eye: eye, purpose, index: index)
            return random.next()
        }
        let words = [
            first(1, 1, 1, .pose, 1), first(2, 1, 1, .pose, 1), first(1 << 32 | 1, 1, 1, .pose, 1),
            first(1, 2, 1, .pose, 1), first(1, 1, 2, .pose, 1), first(1, 1, 1, .light, 1), first(1, 1, 1, .pose, 2),
        ]
        #expect(Set(words).count == words.count)
    }

    @Test func drawsKeepTheirRangesAndMoments() {
        var random = PhantomRandom(seed: 7, patient: 0, .anatomy)
        let uniforms = (0..<4000).map { _ in random.uniform(-1...3) }
        #expect(uniforms.allSatisfy { $0 >= -1 && $0 <= 3 })
        #expect(abs(mean(uniforms) - 1) < 0.06)
        let normals = (0..<4000).map { _ in random.normal(2) }
        #expect(normals.allSatisfy { abs($0) <= 5 })
        #expect(abs(mean(normals)) < 0.12)
        // A normal variable cut off at 2.5 deviations, with the tails moved to the ends.
        #expect(abs(mean(normals.map { $0 * $0 }).squareRoot() - 1.97) < 0.08)
        let integers = (0..<2000).map { _ in random.integer(2...5) }
        #expect(Set(integers) == [2, 3, 4, 5])
        #expect(random.permutation(50).sorted() == Array(0..<50))
    }

    @Test func noiseIsSmoothCentredAndPeriodic() {
        let noise = PhantomNoise(key: 99)
        var values: [Float] = []
        for i in 0..<60 {
            for j in 0..<60 {
                let (x, y) = (Float(i) * 0.37, Float(j) * 0.41)
                values.append(noise.value(x, y))
                #expect(abs(noise.value(x + 0.001, y) - noise.value(x, y)) < 0.02)
            }
        }
        #expect(abs(mean(values)) < 0.05)
        #expect((0.2...0.5).contains(mean(values.map { $0 * $0 }).squareRoot()))
        for y: Float in [0.2, 3.7, -5.1] {
            #expect(abs(noise.value(0.3, y, periodX: 12) - noise.value(12.3, y, periodX: 12)) < 1e-4)
            #expect(noise.value(0.3, y) != noise.value(12.3, y))
        }
    }
}

func mean(_ values: [Float]) -> Float { values.reduce(0, +) / Float(values.count) }
