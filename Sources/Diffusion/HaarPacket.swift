import TensorCore

/// The Haar wavelet packet of 2^levels x 2^levels blocks, in which every band is split again (Coifman and Wickerhauser
/// 1992). On a block it is the Walsh-Hadamard transform of the rows and of the columns.
///
/// The orthonormal transform would divide each butterfly by sqrt(2), in all by 2^levels. `forward` divides once more by
/// 2^levels (see `LatentSpace.wavelet`), so `inverse` does not divide at all.
struct HaarPacket {
    let levels: Int

    private var side: Int { 1 << levels }

    /// [N, H, W, 3] -> [N, H / side, W / side, 3 side^2]
    func forward(_ pictures: Tensor) -> Tensor {
        let (n, height, width) = (pictures.shape[0], pictures.shape[1] / side, pictures.shape[2] / side)
        if pictures.rank != 4 || pictures.shape[3] != 3 || height * side != pictures.shape[1]
            || width * side != pictures.shape[2]
        {
            fatalError("HaarPacket: \(pictures.shape) is not [N, H, W, 3] with sides divisible by \(side)")
        }
        let scale = 1 / Float(side * side)
        return pictures.withUnsafeBuffer { source in
            Tensor(shape: [n, height, width, 3 * side * side]) { target in
                eachBlock(n * height, width) { blockRow, column, block in
                    gather(source, blockRow, column, width, block)
                    transform(block)
                    let to = (blockRow * width + column) * block.count
                    for i in block.indices { target[to + i] = block[i] * scale }
                }
            }
        }
    }

    /// [N, h, w, 3 side^2] -> [N, h side, w side, 3]
    func inverse(_ latents: Tensor) -> Tensor {
        if latents.rank != 4 || latents.shape[3] != 3 * side * side {
            fatalError("HaarPacket: \(latents.shape) is not [N, h, w, \(3 * side * side)]")
        }
        let (n, height, width) = (latents.shape[0], latents.shape[1], latents.shape[2])
        return latents.withUnsafeBuffer { source in
            Tensor(shape: [n, height * side, width * side, 3]) { target in
                eachBlock(n * height, width) { blockRow, column, block in
                    let from = (blockRow * width + column) * block.count
                    for i in block.indices { block[i] = source[from + i] }
                    // Except for the scale, the Hadamard matrix is its own inverse.
                    transform(block)
                    scatter(block, blockRow, column, width, target)
                }
            }
        }
    }

    private typealias Block = UnsafeMutableBufferPointer<Float>

    /// Calls `body(row of blocks, column, scratch)` for each block, with the rows on the pool; each call must write its
    /// own places.
    private func eachBlock(
        _ rows: Int, _ columns: Int, _ body: (Int, Int, Block) -> Void
    ) {
        parallelFor(rows) { row in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * side * side) { block in
                for column in 0..<columns { body(row, column, block) }
            }
        }
    }

    /// The index of the first pixel in row y of a block, in a picture with `width` blocks in a row.
    private func place(_ blockRow: Int, _ column: Int, _ width: Int, y: Int) -> Int {
        ((blockRow * side + y) * width * side + column * side) * 3
    }

    private func gather(
        _ source: UnsafeBufferPointer<Float>, _ blockRow: Int, _ column: Int, _ width: Int, _ block: Block
    ) {
        for y in 0..<side {
            let from = place(blockRow, column, width, y: y)
            for i in 0..<3 * side { block[y * side * 3 + i] = source[from + i] }
        }
    }

    private func scatter(
        _ block: Block, _ blockRow: Int, _ column: Int, _ width: Int, _ target: UnsafeMutableBufferPointer<Float>
    ) {
        for y in 0..<side {
            let to = place(blockRow, column, width, y: y)
            for i in 0..<3 * side { target[to + i] = block[y * side * 3 + i] }
        }
    }

    /// Sums and differences along x and along y, without scaling. Bit l of a band's coordinate says whether level l
    /// took the sum (0) or the difference (1).
    private func transform(_ block: Block) {
        for axisStep in [3, 3 * side] {
            var distance = axisStep
            for _ in 0..<levels {
                // Pairs that lie `distance` apart along the axis.
                for start in stride(from: 0, to: block.count, by: 2 * distance) {
                    for i in start..<start + distance {
                        let a = block[i], b = block[i + distance]
                        block[i] = a + b
                        block[i + distance] = a - b
                    }
                }
                distance *= 2
            }
        }
    }
}
