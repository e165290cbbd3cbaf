import CKernels
import Randomness

extension Philox {
    /// Fills `buffer` in order with standard normal numbers. They are those that `nextNormalPair` gives, but many are
    /// computed at a time, on the pool.
    public mutating func fillNormal(_ buffer: UnsafeMutableBufferPointer<Float>) {
        var filled = 0
        // Whole blocks of four words are filled at once, unless the current block was begun already.
        if used == 4, buffer.count >= 4, let base = buffer.baseAddress {
            nonisolated(unsafe) let target = base
            let stream = self
            parallelRuns(buffer.count / 4, grain: 4096) { first, blocks in
                stream.fill(target + 4 * first, first, blocks)
            }
            position += UInt64(buffer.count / 4)
            filled = buffer.count / 4 * 4
        }
        for i in stride(from: filled, to: buffer.count, by: 2) {
            let pair = nextNormalPair()
            buffer[i] = Float(pair.0)
            if i + 1 < buffer.count { buffer[i + 1] = Float(pair.1) }
        }
    }

    /// Writes four numbers from each of the blocks `first ..< first + blocks`, counted from the current position.
    private func fill(_ target: UnsafeMutablePointer<Float>, _ first: Int, _ blocks: Int) {
        var raw = fovea_philox(key: (key[0], key[1]), high: (high[0], high[1]))
        guard Kernels.table.normals(&raw, position + UInt64(first), blocks, target) > 0 else { return }
        for pair in 0..<2 * blocks where target[2 * pair].isNaN || target[2 * pair + 1].isNaN {
            var exact = self
            exact.position += UInt64(first + pair / 2)
            if pair % 2 == 1 { _ = exact.nextNormalPair() }
            let numbers = exact.nextNormalPair()
            (target[2 * pair], target[2 * pair + 1]) = (Float(numbers.0), Float(numbers.1))
        }
    }
}
