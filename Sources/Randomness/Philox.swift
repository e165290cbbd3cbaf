import Foundation

/// Philox 4x32-10: counter-based random numbers (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
///
/// The same seed, stream and index always give the same numbers, whatever was drawn before.
public struct Philox: Sendable {
    /// The ten rounds: four random words from a counter and a key.
    public static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var counter = counter
        var key = key
        for _ in 0..<10 {
            let product0 = UInt64(counter[0]) &* 0xD251_1F53
            let product1 = UInt64(counter[2]) &* 0xCD9E_8D57
            counter = SIMD4(
                UInt32(truncatingIfNeeded: product1 >> 32) ^ counter[1] ^ key[0],
                UInt32(truncatingIfNeeded: product1),
                UInt32(truncatingIfNeeded: product0 >> 32) ^ counter[3] ^ key[1],
                UInt32(truncatingIfNeeded: product0))
            key = key &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
        }
        return counter
    }

    package let key: SIMD2<UInt32>
    package let high: SIMD2<UInt32>
    package var position: UInt64 = 0
    private var words = SIMD4<UInt32>()
    package var used = 4

    /// - Parameters:
    ///   - seed: the run's seed.
    ///   - stream: what the numbers are for (noise, order, flips); see `RandomStream`.
    ///   - index: which sample, image or step they are for.
    public init(seed: UInt64, stream: RandomStream, index: UInt64) {
        // The stream takes the top byte of the 64-bit index, which no count of images reaches.
        let tagged = index ^ (UInt64(stream.rawValue) << 56)
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        high = SIMD2(UInt32(truncatingIfNeeded: tagged), UInt32(truncatingIfNeeded: tagged >> 32))
    }

    /// 32 random bits.
    public mutating func nextWord() -> UInt32 {
        if used == 4 {
            words = Philox.block(
                counter: SIMD4(
                    UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32), high[0], high[1]),
                key: key)
            position += 1
            used = 0
        }
        defer { used += 1 }
        return words[used]
    }

    /// Uniform in (0, 1): one of 2^32 values, never 0 and never 1.
    public mutating func nextUniform() -> Double {
        (Double(nextWord()) + 0.5) * 0x1p-32
    }

    /// Uniform in 0 ..< bound. The bias is below bound / 2^64.
    public mutating func nextInteger(below bound: Int) -> Int {
        let wide = UInt64(nextWord()) << 32 | UInt64(nextWord())
        return Int(wide.multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// Two independent standard normal numbers (Box and Muller 1958).
    public mutating func nextNormalPair() -> (Double, Double) {
        let radius = (-2 * log(nextUniform())).squareRoot()
        let angle = 2 * Double.pi * nextUniform()
        return (radius * cos(angle), radius * sin(angle))
    }

    /// One standard normal number. It draws a pair and drops the second number.
    public mutating func nextNormal() -> Double { nextNormalPair().0 }

    /// 0 ..< count in random order (Fisher and Yates).
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for i in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(i, nextInteger(below: i + 1))
        }
        return order
    }
}

/// What random numbers are for. The raw values are part of every stored result: never renumber.
public enum RandomStream: UInt8, Sendable {
    case parameters = 1
    case imageOrder = 2
    case noiseLevel = 3
    case trainingNoise = 4
    case augmentation = 5
    case conditionDropout = 6
    case validationNoise = 7
    case samplingNoise = 8
    case ancestralNoise = 9
    case adapterFactor = 10
    case siteAssignment = 11
    case bootstrap = 12
    case disguise = 13
    case copyDetector = 14
    case membershipNoise = 15
    case canary = 16
    case auditSplit = 17
    case crop = 18
    case cropNoise = 19
    case pictureChange = 20
    case middleNetwork = 21
    case middleNoise = 22
    case mapNoise = 23
    case classifierOrder = 24
    case classifierChange = 25
    case evaluationHalves = 26
    case guidingNetwork = 27
    case guidingNoise = 28
    case tests = 255
}
