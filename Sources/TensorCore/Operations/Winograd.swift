import CKernels

// 3x3 convolution with stride 1 and padding 1 by Winograd F(4x4, 3x3) (Lavin and Gray 2016): transform the input,
// compute 36 products, transform back.

extension fovea_tiling {
    fileprivate init(_ shape: [Int]) {
        self.init(
            images: shape[0], height: shape[1], width: shape[2], channels: shape[3], tiles_high: (shape[1] + 3) / 4,
            tiles_wide: (shape[2] + 3) / 4)
    }

    fileprivate var tiles: Int { images * tiles_high * tiles_wide }
}

/// The number of floats from one of the 36 positions to the next; winograd.h says why there are 16 more than needed.
private func positionStep(_ elements: Int) -> Int { elements + 16 }

/// A weight in the transformed domain: 36 positions of [outputs / 16][inputs][16].
struct TransformedWeight: Sendable {
    let inputs: Int, outputs: Int
    private let values: Tensor
    /// [3, 3, in, out], before the transform.
    private let original: Tensor
    private let isTurned: Bool

    var positionStep: Int { TensorCore.positionStep(inputs * outputs) }

    /// - Parameters:
    ///   - weight: [3, 3, in, out].
    ///   - turned: whether to make the weight of the adjoint convolution: turned by 180 degrees, inputs and outputs
    ///     exchanged.
    init(_ weight: Tensor, turned: Bool) {
        let rows = weight.shape[2], columns = weight.shape[3]
        (inputs, outputs) = turned ? (columns, rows) : (rows, columns)
        // This value may be kept with the weight. Holding the weight's derived values here would make a cycle.
        (original, isTurned) = (weight.forgettingDerived(), turned)
        values = Tensor(uninitialized: [36 * TensorCore.positionStep(rows * columns)])
        let transform = turned ? Kernels.table.winograd_weight_turned : Kernels.table.winograd_weight
        let step = TensorCore.positionStep(rows * columns), target = values.pointer
        parallelFor(outputs / 16) { panel in transform?(rows, columns, panel, 1, weight.pointer, step, target) }
    }

    /// The transformed weight, kept with a weight that keeps derived values (`Tensor.keepingDerived`).
    static func of(_ weight: Tensor) -> TransformedWeight {
        weight.derived { TransformedWeight(weight, turned: false) }
    }

    /// Computes values that are not finite again; see `fovea_winograd_repair`.
    func repair(
        _ x: Tensor, _ source: inout fovea_tiling, _ target: inout fovea_tiling, bias: UnsafePointer<Float>?,
        biasStep: Int,
        residual: UnsafePointer<Float>?, _ block: inout fovea_tile_block, _ y: UnsafeMutablePointer<Float>
    ) {
        fovea_winograd_repair(
            &source, &target, x.pointer, original.pointer, isTurned ? 1 : 0, bias, biasStep, residual, &block, y)
    }

    func product(position: Int, rows: Int, v: UnsafePointer<Float>, m: UnsafeMutablePointer<Float>) {
        var product = fovea_product(
            rows: rows, k: inputs, columns: outputs, a: v, a_row: 16, a_panel: rows * 16,
            b: values.pointer + position * positionStep, c: m, c_row: 16, c_panel: rows * 16, accumulate: 0)
        Kernels.table.product(&product)
    }
}

/// How tiles are cut into blocks that stay in the second-level cache; only the number of tiles decides.
///
/// A block has 3 or 4 times 12 tiles (12 are the rows of a product's tile). Of 24 to 96 tiles, these sizes were the
/// fastest from 64 to 512 channels. With larger blocks the transformed tiles leave the cache; with smaller blocks the
/// weight is read too often. The number of blocks is a multiple of 4, so that 2 and 4 threads have equal shares.
private struct Blocks {
    private let groups: Int
    let count: Int
    static let mostRows = 48

    init(tiles: Int) {
        groups = (tiles + 11) / 12
        count = ((groups + 3) / 4 + 3) / 4 * 4
    }

    /// The first tile of a block, and its number of tiles.
    subscript(index: Int) -> (first: Int, rows: Int) {
        let start = index * groups / count, end = (index + 1) * groups / count
        return (12 * start, 12 * (end - start))
    }
}

/// Up to this many tiles, the work is cut by positions instead of by blocks of tiles.
private let fewTiles = 160

func winogradForward(_ x: Tensor, _ weight: TransformedWeight, _ added: Added) -> Tensor {
    let output = Tensor(uninitialized: x.shape.dropLast() + [weight.outputs])
    let source = fovea_tiling(x.shape), target = fovea_tiling(output.shape)
    let perImage = added.perImage
    /// Transforms a block back to the output's pixels.
    func finish(_ block: fovea_tile_block, _ m: UnsafePointer<Float>) {
        var source = source, target = target, block = block
        let step = perImage?.shape[0] == 1 ? 0 : weight.outputs
        let isFinite = Kernels.table.winograd_output(
            &target, m, perImage?.pointer, step, added.residual?.pointer, &block, output.pointer)
        if isFinite == 0 {
            weight.repair(
                x, &source, &target, bias: perImage?.pointer, biasStep: step, residual: added.residual?.pointer, &block,
                output.pointer)
        }
    }
    if source.tiles <= fewTiles {
        forwardByPositions(x, weight, source, finish)
        return output
    }
    let blocks = Blocks(tiles: source.tiles)
    let stepV = positionStep(Blocks.mostRows * weight.inputs), stepM = positionStep(Blocks.mostRows * weight.outputs)
    parallelFor(blocks.count) { index in
        let (first, rows) = blocks[index]
        if rows == 0 { return }
        var source = source
        var block = fovea_tile_block(first_tile: first, rows: rows, plane_rows: rows, position_step: stepV)
        let v = fovea_thread_scratch(0, 36 * stepV).unsafelyUnwrapped
        let m = fovea_thread_scratch(1, 36 * stepM).unsafelyUnwrapped
        Kernels.table.winograd_input(&source, x.pointer, &block, v)
        for position in 0..<36 {
            weight.product(position: position, rows: rows, v: v + position * stepV, m: m + position * stepM)
        }
        block.position_step = stepM
        finish(block, m)
    }
    return output
}

/// The way for few tiles: all tiles are transformed, and then each position is one product, which reads its weights
/// once.
private func forwardByPositions(
    _ x: Tensor, _ weight: TransformedWeight, _ source: fovea_tiling,
    _ finish: (fovea_tile_block, UnsafePointer<Float>) -> Void
) {
    // Products take rows in multiples of 12. Transforms take 6 at a time where pieces of 12 would give threads unequal
    // shares.
    let rows = (source.tiles + 11) / 12 * 12
    let piece = rows < 96 ? 6 : 12
    let pieces = rows / piece
    let stepV = positionStep(rows * weight.inputs), stepM = positionStep(rows * weight.outputs)
    let v = Tensor(uninitialized: [36 * stepV]), m = Tensor(uninitialized: [36 * stepM])
    func block(_ index: Int, step: Int) -> fovea_tile_block {
        fovea_tile_block(first_tile: index * piece, rows: piece, plane_rows: rows, position_step: step)
    }
    parallelFor(pieces) { index in
        var source = source, block = block(index, step: stepV)
        Kernels.table.winograd_input(&source, x.pointer, &block, v.pointer + index * piece * 16)
    }
    parallelFor(36) { position in
        weight.product(position: position, rows: rows, v: v.pointer + position * stepV, m: m.pointer + position * stepM)
    }
    parallelFor(pieces) { index in
        finish(block(index, step: stepM), m.pointer + index * piece * 16)
    }
}

/// The gradient of the weight, computed in the transformed domain: one product over all tiles for each of the 36
/// positions.
///
/// - Returns: nil where the result is not finite everywhere, because the transforms overflow earlier than the gradient.
func winogradGradWeight(_ x: Tensor, _ grad: Tensor) -> Tensor? {
    let inputs = x.shape[3], outputs = grad.shape[3]
    let source = fovea_tiling(x.shape), target = fovea_tiling(grad.shape)
    // The number of tiles in a chunk, by shape alone: both transformed chunks together stay near 8 MiB.
    let chunk = max(32, min((source.tiles + 31) / 32 * 32, 2_097_152 / (36 * (inputs + outputs)) / 32 * 32))
    // The number of tiles in a task: few where the chunk is small, so that threads have equal shares.
    let pieceRows = chunk < 128 ? 8 : chunk <= fewTiles ? 16 : 32
    let stepV = positionStep(chunk * inputs), stepZ = positionStep(chunk * outputs),
        step = positionStep(inputs * outputs)
    let v = Tensor(uninitialized: [36 * stepV]), z = Tensor(uninitialized: [36 * stepZ])
    let transformed = Tensor(uninitialized: [36 * step])
    for start in stride(from: 0, to: source.tiles, by: chunk) {
        parallelFor(chunk / pieceRows) { piece in
            var source = source, target = target
            let first = piece * pieceRows
            var block = fovea_tile_block(
                first_tile: start + first, rows: pieceRows, plane_rows: chunk, position_step: stepV)
            Kernels.table.winograd_input(&source, x.pointer, &block, v.pointer + first * 16)
            block.position_step = stepZ
            Kernels.table.winograd_output_adjoint(&target, grad.pointer, &block, z.pointer + first * 16)
        }
        parallelFor(36) { position in
            Kernels.table.product_adjoint(
                chunk, inputs, outputs, v.pointer + position * stepV, z.pointer + position * stepZ, start == 0 ? 0 : 1,
                transformed.pointer + position * step)
        }
    }
    let result = Tensor(uninitialized: [3, 3, inputs, outputs])
    let finite = Tensor(uninitialized: [outputs / 16])
    parallelFor(outputs / 16) { panel in
        finite.pointer[panel] = Float(
            Kernels.table.winograd_weight_adjoint(inputs, outputs, panel, 1, transformed.pointer, step, result.pointer))
    }
    return finite.elements.contains(0) ? nil : result
}
