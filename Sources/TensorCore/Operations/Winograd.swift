import CKernels

// 3x3 convolution, stride 1, padding 1, by Winograd F(4x4, 3x3) (Lavin and Gray 2016), in blocks of tiles that stay in
// the second-level cache: transform the input, 36 products, transform back.

extension fovea_tiling {
    fileprivate init(_ shape: [Int]) {
        self.init(
            images: shape[0], height: shape[1], width: shape[2], channels: shape[3], tiles_high: (shape[1] + 3) / 4,
            tiles_wide: (shape[2] + 3) / 4)
    }

    fileprivate var tiles: Int { images * tiles_high * tiles_wide }

    /// Tiles a block. Pictures of many tiles are cut each alike; small ones share blocks of 48 rows, at which OpenBLAS's
    /// kernels treat all rows alike, so that a picture's result does not depend on where in the batch it stands.
    fileprivate var block: Int {
        let each = tiles_high * tiles_wide
        return each % 64 == 0 ? 64 : each % 32 == 0 ? 32 : 48
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
    let block = source.block
    parallelRuns(source.tiles, grain: block) { first, _ in
        var source = source, target = target
        let v = fovea_thread_scratch(0, 36 * block * inputs).unsafelyUnwrapped
        let m = fovea_thread_scratch(1, 36 * block * outputs).unsafelyUnwrapped
        Kernels.table.winograd_input(&source, x.pointer, first, block, v)
        fovea_sgemm_batch(
            36, 0, 0, block, outputs, inputs, v, block * inputs, inputs, transformed.pointer, inputs * outputs, outputs,
            0, m, block * outputs, outputs)
        Kernels.table.winograd_output(&target, m, bias?.pointer, first, block, output.pointer)
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
            let first = start + piece * 32
            let partV = fovea_thread_scratch(0, 36 * 32 * inputs).unsafelyUnwrapped
            let partZ = fovea_thread_scratch(1, 36 * 32 * outputs).unsafelyUnwrapped
            Kernels.table.winograd_input(&source, x.pointer, first, 32, partV)
            Kernels.table.winograd_output_adjoint(&target, grad.pointer, first, 32, partZ)
            for position in 0..<36 {
                (v.pointer + (position * chunk + piece * 32) * inputs)
                    .update(from: partV + position * 32 * inputs, count: 32 * inputs)
                (z.pointer + (position * chunk + piece * 32) * outputs)
                    .update(from: partZ + position * 32 * outputs, count: 32 * outputs)
            }
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
