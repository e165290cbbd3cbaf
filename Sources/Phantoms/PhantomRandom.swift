import Foundation
import Randomness
import TensorCore

/// The random stream for one purpose and one eye, keyed by (seed, patient, eye, purpose, index). It uses Philox, so
/// that any phantom can be drawn alone, in any order and on any thread.
package struct PhantomRandom {
    /// The purpose of a stream. The raw values decide what a seed gives: never renumber them.
    package enum Purpose: UInt32 {
        case person = 1
        case gradeOrder = 2
        case splitOrder = 3
        case anatomy = 4
        case vessels = 5
        case lesions = 6
        case texture = 7
        case pose = 8
        case light = 9
        case noise = 10
        case field = 11
    }

    private let key: SIMD2<UInt32>
    private var counter: SIMD4<UInt32>
    private var words = SIMD4<UInt32>()
    private var used = 4

    /// - Parameters:
    ///   - patient: the patient's number, below 2^32; for orders, the number of a block of patients.
    ///   - eye: 0 for values that both eyes share, 1 for the right eye, 2 for the left.
    ///   - index: the visit, for purposes that have one for each visit; below 2^16.
    package init(seed: UInt64, patient: Int, eye: UInt32 = 0, _ purpose: Purpose, index: Int = 0) {
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        counter = SIMD4(
            0, UInt32(truncatingIfNeeded: patient), purpose.rawValue << 8 | eye, UInt32(truncatingIfNeeded: index))
    }

    /// 32 random bits.
    package mutating func next() -> UInt32 {
        if used == 4 {
            words = Philox.block(counter: counter, key: key)
            counter.x &+= 1
            used = 0
        }
        used += 1
        return words[used - 1]
    }

    /// Uniform in `range`.
    package mutating func uniform(_ range: ClosedRange<Float> = 0...1) -> Float {
        // 24 bits, which a Float represents exactly.
        let unit = Float(next() >> 8) * 0x1p-24
        return range.lowerBound + (range.upperBound - range.lowerBound) * unit
    }

    /// Normal with the given deviation, cut off at 2.5 deviations, so that no phantom is extreme.
    package mutating func normal(_ deviation: Float = 1) -> Float {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        let value = radius * cos(2 * .pi * uniform())
        return deviation * min(max(value, -2.5), 2.5)
    }

    /// A uniformly random integer of `range`.
    package mutating func integer(_ range: ClosedRange<Int>) -> Int {
        let width = UInt64(range.upperBound - range.lowerBound + 1)
        return range.lowerBound + Int((UInt64(next()) * width) >> 32)
    }

    package mutating func chance(_ probability: Float) -> Bool { uniform() < probability }

    /// -1 or 1.
    package mutating func sign() -> Float { next() & 1 == 0 ? -1 : 1 }

    /// The numbers `0..<count` in random order (Fisher and Yates).
    package mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, integer(0...i)) }
        return order
    }
}
