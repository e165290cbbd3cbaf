import Files
import Randomness
import TensorCore

/// The frozen factor A of one parameter: orthonormal vectors that follow from the base's digest and the parameter's
/// path alone. So every site has the same factor without storing or sending it.
///
/// The bits are the same on every machine. They come from integers (SHA-256 and Philox), and then from + - * / and
/// square roots in float64 in an order that is fixed here; IEEE 754 fixes how these are rounded. Swift does not join a
/// product and a sum into one rounding. `Tools/reference/adapter_factor.py` makes the same bits from this description.
/// Never change the computation: existing adapters would no longer fit.
package enum FrozenFactor {
    /// The first eight bytes, lowest first, of SHA-256 over a fixed name, the base's digest and the path in UTF-8.
    package static func seed(baseDigest: Digest, path: String) -> UInt64 {
        let digest = Digest(of: Array("fovea-adapter-factor-1\0".utf8) + baseDigest.bytes + Array(path.utf8))
        return digest.bytes.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Eight neighbouring numbers of a vector.
    private typealias Eight = SIMD8<Double>

    /// Orthonormal vectors, [count, length], rounded to float32 at the end; count <= length. A vector does not depend
    /// on how many vectors follow it.
    ///
    /// Vector j starts uniform in (-1, 1), from Philox with index j. Its projections on the earlier vectors are
    /// subtracted one after the other (modified Gram-Schmidt). Where less than half of its length is left, they are
    /// subtracted once more, so that cancellation does no harm (Daniel, Gragg, Kaufman and Stewart 1976; twice is
    /// enough, Giraud and Langou 2002). Then the vector is divided by its length.
    package static func vectors(seed: UInt64, count: Int, length: Int) -> Tensor {
        let eights = (length + 7) / 8
        return withUnsafeTemporaryAllocation(of: Eight.self, capacity: count * eights) { memory in
            guard let all = memory.baseAddress else { return .zeros([count, length]) }
            memory.initialize(repeating: Eight())
            let numbers = UnsafeMutableRawPointer(all).assumingMemoryBound(to: Double.self)
            for j in 0..<count {
                var random = Philox(seed: seed, stream: .adapterFactor, index: UInt64(j))
                for i in 0..<length { numbers[8 * j * eights + i] = 2 * random.nextUniform() - 1 }
                let vector = all + j * eights
                let before = product(vector, vector, eights)
                removeProjections(of: vector, on: all, count: j, eights)
                var after = product(vector, vector, eights)
                if after < before / 4 {
                    removeProjections(of: vector, on: all, count: j, eights)
                    after = product(vector, vector, eights)
                }
                let size = Eight(repeating: after.squareRoot())
                for i in 0..<eights { vector[i] /= size }
            }
            return Tensor(shape: [count, length]) { target in
                for j in 0..<count {
                    for i in 0..<length { target[j * length + i] = Float(numbers[8 * j * eights + i]) }
                }
            }
        }
    }

    /// The inner product, as eight running sums, one in each lane. At the end lanes 0-3 are added to lanes 4-7, then
    /// 0-1 to 2-3, then the two that remain.
    private static func product(_ a: UnsafePointer<Eight>, _ b: UnsafePointer<Eight>, _ eights: Int) -> Double {
        var sums = Eight()
        for i in 0..<eights { sums += a[i] * b[i] }
        return total(sums)
    }

    @inline(__always)
    private static func total(_ sums: Eight) -> Double {
        let four = sums.lowHalf + sums.highHalf
        let two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }

    /// Subtracts the projections on `count` unit vectors from `vector`, one after the other.
    private static func removeProjections(
        of vector: UnsafeMutablePointer<Eight>, on units: UnsafePointer<Eight>, count: Int, _ eights: Int
    ) {
        guard count > 0 else { return }
        var share = Eight(repeating: product(vector, units, eights))
        for k in 1..<count {
            // The product with the next unit vector is computed in the same loop, which halves the memory traffic.
            let unit = units + (k - 1) * eights, next = unit + eights
            var sums = Eight()
            for i in 0..<eights {
                let rest = vector[i] - share * unit[i]
                vector[i] = rest
                sums += rest * next[i]
            }
            share = Eight(repeating: total(sums))
        }
        let last = units + (count - 1) * eights
        for i in 0..<eights { vector[i] -= share * last[i] }
    }
}
