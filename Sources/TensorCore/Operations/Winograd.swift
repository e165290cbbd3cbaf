import CKernels

// 3x3 convolution, stride 1, padding 1, by Winograd F(4x4, 3x3) (Lavin and Gray 2016), in blocks of tiles that stay in
// the second-level cache: transform the input, 36 products, transform back.

extension fovea_tiling {
    fileprivate init(_ shape: [Int]) {
        self.init(
            images: shape[0], height: shape[1], width: shape[2], channels: shape[3], tiles_high: (shape[1] + 3) / 4,
            tiles_wide: (shape[2] + 3) / 4)
    }

    fileprivate var tilesPerImage: Int { tiles_high * tiles_wide }
    fileprivate var tiles: Int { images * tilesPerImage }

    /// Calls `body` on the pool with blocks that hold every tile once.
    ///
    /// A picture's tile always stands in the same row of a block of the same size, so that its result does not depend on
    /// the batch: OpenBLAS's Haswell kernels round rows 0 to 5 of every 12 otherwise than rows 6 to 11. Small pictures
    /// share a block, each beginning at a multiple of 12.
    fileprivate func forEachBlock(_ body: (fovea_tile_block) -> Void) {
        if tilesPerImage < 32 {
            let slots = (tilesPerImage + 11) / 12 * 12
            let group = max(1, 48 / slots)
            parallelFor((images + group - 1) / group) { block in
                body(
                    fovea_tile_block(
                        rows: slots * group, slots: slots, first_image: block * group, first_tile: 0,
                        plane_rows: slots * group))
            }
        } else {
            let pieces = (tilesPerImage + 63) / 64
            let rows = (tilesPerImage + pieces - 1) / pieces
            parallelFor(images * pieces) { block in
                body(
                    fovea_tile_block(
                        rows: rows, slots: rows, first_image: block / pieces, first_tile: block % pieces * rows, plane_rows: rows))
            }
        }
    }
}

/// [3, 3, in, out] -> [36, in, out]
private func transformedWeight(_ weight: Tensor) -> Tensor {
    let elements = weight.shape[2] * weight.shape[3]
    let result = Tensor(uninitialized: [36, weight.shape[2], weight.shape[3]])
    parallelRuns(elements, grain: 4096) { first, count in
        Kernels.table.winograd_weight(first, count, elements, weight.pointer, result.pointer)
    }
    return result
}

/// The weight of the adjoint convolution: turned by 180 degrees, inputs and outputs exchanged.
func turned(_ weight: Tensor) -> Tensor {
    let inputs = weight.shape[2], outputs = weight.shape[3]
    let result = Tensor(uninitialized: [3, 3, outputs, inputs])
    parallelFor(9) { tap in
        let source = weight.pointer + tap * inputs * outputs
        let target = result.pointer + (8 - tap) * inputs * outputs
        for first in stride(from: 0, to: inputs, by: 16) {
            for o in 0..<outputs {
                for i in first..<min(first + 16, inputs) { target[o * inputs + i] = source[i * outputs + o] }
            }
        }
    }
    return result
}

func winogradForward(_ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
    let inputs = weight.shape[2], outputs = weight.shape[3]
    let transformed = transformedWeight(weight)
    let output = Tensor(uninitialized: x.shape.dropLast() + [outputs])
    let source = fovea_tiling(x.shape), target = fovea_tiling(output.shape)
    source.forEachBlock { block in
        var source = source, target = target, block = block
        let v = fovea_thread_scratch(0, 36 * block.rows * inputs).unsafelyUnwrapped
        let m = fovea_thread_scratch(1, 36 * block.rows * outputs).unsafelyUnwrapped
        Kernels.table.winograd_input(&source, x.pointer, &block, v)
        fovea_sgemm_batch(
            36, 0, 0, block.rows, outputs, inputs, v, block.rows * inputs, inputs, transformed.pointer,
            inputs * outputs, outputs, 0, m, block.rows * outputs, outputs)
        Kernels.table.winograd_output(&target, m, bias?.pointer, &block, output.pointer)
    }
    return output
}

/// The gradient of the weight, through the same domain: for each of the 36 positions one product over all tiles.
func winogradGradWeight(_ x: Tensor, _ grad: Tensor) -> Tensor {
    let inputs = x.shape[3], outputs = grad.shape[3]
    let source = fovea_tiling(x.shape), target = fovea_tiling(grad.shape)
    // Tiles a chunk, by shape: both transformed chunks stay near 8 MiB together.
    let chunk = max(32, min((source.tiles + 31) / 32 * 32, 2_097_152 / (36 * (inputs + outputs)) / 32 * 32))
    let v = Tensor(uninitialized: [36, chunk, inputs]), z = Tensor(uninitialized: [36, chunk, outputs])
    let transformed = Tensor(uninitialized: [36, inputs, outputs])
    for start in stride(from: 0, to: source.tiles, by: chunk) {
        parallelFor(chunk / 32) { piece in
            var source = source, target = target
            var block = fovea_tile_block(
                rows: 32, slots: 0, first_image: 0, first_tile: start + piece * 32, plane_rows: chunk)
            Kernels.table.winograd_input(&source, x.pointer, &block, v.pointer + piece * 32 * inputs)
            Kernels.table.winograd_output_adjoint(&target, grad.pointer, &block, z.pointer + piece * 32 * outputs)
        }
        parallelFor(36) { position in
            fovea_sgemm(
                1, 0, inputs, outputs, chunk, 1, v.pointer + position * chunk * inputs, inputs,
                z.pointer + position * chunk * outputs, outputs, start == 0 ? 0 : 1,
                transformed.pointer + position * inputs * outputs, outputs)
        }
    }
    let result = Tensor(uninitialized: [3, 3, inputs, outputs])
    let elements = inputs * outputs
    parallelRuns(elements, grain: 4096) { first, count in
        Kernels.table.winograd_weight_adjoint(first, count, elements, transformed.pointer, result.pointer)
    }
    return result
}
