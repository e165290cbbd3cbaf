import Randomness
import TensorCore
import Testing

@Suite struct PhiloxTests {
    /// The known answers of Random123's `kat_vectors` for philox4x32, 10 rounds.
    @Test func knownAnswers() {
        let zero = Philox.block(counter: SIMD4(0, 0, 0, 0), key: SIMD2(0, 0))
        #expect(zero == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        let ones = Philox.block(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
        #expect(ones == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        let pi = Philox.block(
            counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: SIMD2(0xa409_3822, 0x299f_31d0))
        #expect(pi == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test func streamsAndIndicesDiffer() {
        var draws: Set<UInt64> = []
        for stream in [RandomStream.trainingNoise, .samplingNoise, .imageOrder] {
            for index in 0..<100 as Range<UInt64> {
                var random = Philox(seed: 7, stream: stream, index: index)
                draws.insert(UInt64(random.nextWord()) << 32 | UInt64(random.nextWord()))
            }
        }
        #expect(draws.count == 300)
    }

    @Test func normalMoments() {
        var random = Philox(seed: 1, stream: .tests, index: 0)
        let count = 200_000
        let draws = (0..<count).map { _ in random.nextNormal() }
        let mean = draws.reduce(0, +) / Double(count)
        let variance = draws.reduce(0) { $0 + $1 * $1 } / Double(count)
        let fourth = draws.reduce(0) { $0 + $1 * $1 * $1 * $1 } / Double(count)
        // Five standard errors: 1 / sqrt(n), sqrt(2 / n), sqrt(96 / n).
        #expect(abs(mean) < 5 / Double(count).squareRoot())
        #expect(abs(variance - 1) < 5 * (2 / Double(count)).squareRoot())
        #expect(abs(fourth - 3) < 5 * (96 / Double(count)).squareRoot())
    }

    /// Many at a time, they are the C library's to the last bit, at any place and with any remainder.
    @Test func filledNormalsAreTheLibrarys() {
        for (count, begun) in [(3_000_001, 0), (4098, 0), (4098, 1), (1001, 2), (7, 3), (3, 0)] {
            var filling = Philox(seed: 5, stream: .tests, index: UInt64(count)), single = filling
            for _ in 0..<begun { _ = (filling.nextWord(), single.nextWord()) }
            let filled = Tensor(shape: [count]) { filling.fillNormal($0) }.elements
            var different = 0
            for i in stride(from: 0, to: count, by: 2) {
                let pair = single.nextNormalPair()
                if filled[i].bitPattern != Float(pair.0).bitPattern { different += 1 }
                if i + 1 < count, filled[i + 1].bitPattern != Float(pair.1).bitPattern { different += 1 }
            }
            #expect(different == 0, "of \(count), \(begun) words begun")
            #expect(filling.nextWord() == single.nextWord())
        }
    }

    @Test func permutationHoldsEachOnce() {
        var random = Philox(seed: 1, stream: .imageOrder, index: 3)
        let order = random.permutation(1000)
        #expect(order.sorted() == Array(0..<1000))
        #expect(order != Array(0..<1000))
    }
}
