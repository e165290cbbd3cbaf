import CKernels

// Convolution of [N, H, W, C] pictures. The ladder, slowest first:
//   1. the naive loops in Tests (float64): the oracle;
//   2. im2col and one product a block of rows: any kernel and stride (here);
//   3. a plain product for 1x1, stride 1 (Linear.swift);
//   4. Winograd F(4x4, 3x3) for 3x3, stride 1, channels in sixteens (Winograd.swift).

extension Variable {
    /// Cross-correlation with `weight` and zero padding, as deep-learning libraries define convolution.
    ///
    /// - Parameters:
    ///   - weight: [k, k, in, out].
    ///   - bias: [out], or nil.
    ///   - padding: zeros on each side.
    /// - Returns: [N, (H + 2 padding - k) / stride + 1, ..., out].
    public func convolution(_ weight: Variable, bias: Variable?, stride: Int = 1, padding: Int) -> Variable {
        let method = ConvolutionMethod(tensor.shape, weight.shape, stride: stride, padding: padding)
        let output = method.forward(tensor, weight.tensor, bias: bias?.tensor)
        return Tape.record([self, weight] + (bias.map { [$0] } ?? []), output) { grad in
            [
                isTracked ? method.gradInput(grad, weight.tensor, inputShape: tensor.shape) : nil,
                weight.isTracked ? method.gradWeight(tensor, grad) : nil,
                (bias?.isTracked ?? false) ? sumToShape(grad, [weight.shape[3]]) : nil,
            ]
        }
    }
}

/// How one convolution is computed; chosen by its shape alone.
enum ConvolutionMethod {
    case pointwise
    case winograd
    case unfolded(fovea_convolution)

    init(_ x: [Int], _ weight: [Int], stride: Int, padding: Int) {
        requireShape(
            x.count == 4 && weight.count == 4 && weight[0] == weight[1] && weight[2] == x[3] && stride > 0
                && x[1] + 2 * padding >= weight[0] && x[2] + 2 * padding >= weight[0], "convolution", x, weight)
        let kernel = weight[0]
        if kernel == 1, stride == 1, padding == 0 {
            self = .pointwise
        } else if kernel == 3, stride == 1, padding == 1, weight[2] % 16 == 0, weight[3] % 16 == 0 {
            self = .winograd
        } else {
            self = .unfolded(
                fovea_convolution(
                    height: x[1], width: x[2], in: x[3], out_height: (x[1] + 2 * padding - kernel) / stride + 1,
                    out_width: (x[2] + 2 * padding - kernel) / stride + 1, kernel: kernel, stride: stride, pad: padding))
        }
    }

    func forward(_ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
        switch self {
        case .pointwise: linearForward(x, weight.reshaped([weight.shape[2], weight.shape[3]]), bias: bias)
        case .winograd: winogradForward(x, weight, bias: bias)
        case .unfolded(let geometry): unfoldedForward(geometry, x, weight, bias: bias)
        }
    }

    func gradInput(_ grad: Tensor, _ weight: Tensor, inputShape: [Int]) -> Tensor {
        switch self {
        case .pointwise: linearGradInput(grad, weight.reshaped([weight.shape[2], weight.shape[3]]))
        case .winograd: winogradForward(grad, turned(weight), bias: nil)
        case .unfolded(let geometry): unfoldedGradInput(geometry, grad, weight, inputShape: inputShape)
        }
    }

    func gradWeight(_ x: Tensor, _ grad: Tensor) -> Tensor {
        switch self {
        case .pointwise: linearGradWeight(x, grad).reshaped([1, 1, x.shape[3], grad.shape[3]])
        case .winograd: winogradGradWeight(x, grad)
        case .unfolded(let geometry): unfoldedGradWeight(geometry, x, grad)
        }
    }
}

/// Output rows a block, so that the unfolded block stays near 256 KiB.
private func blockRows(_ g: fovea_convolution) -> Int {
    max(1, min(g.out_height, 65536 / max(1, g.out_width * g.kernel * g.kernel * g.in)))
}

private func unfoldedForward(_ geometry: fovea_convolution, _ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
    let images = x.shape[0], outputs = weight.shape[3]
    let depth = geometry.kernel * geometry.kernel * geometry.in
    let output = Tensor(uninitialized: [images, geometry.out_height, geometry.out_width, outputs])
    let block = blockRows(geometry)
    let blocks = (geometry.out_height + block - 1) / block
    parallelFor(images * blocks) { task in
        var geometry = geometry
        let image = task / blocks, first = task % blocks * block
        let rows = min(block, geometry.out_height - first)
        let pixels = rows * geometry.out_width
        let columns = fovea_thread_scratch(0, block * geometry.out_width * depth).unsafelyUnwrapped
        fovea_im2col(&geometry, x.pointer + image * geometry.height * geometry.width * geometry.in, first, rows, columns)
        let target = output.pointer + (image * geometry.out_height + first) * geometry.out_width * outputs
        fovea_sgemm(0, 0, pixels, outputs, depth, 1, columns, depth, weight.pointer, outputs, 0, target, outputs)
        if let bias { Kernels.table.add_bias(pixels, outputs, bias.pointer, target) }
    }
    return output
}

private func unfoldedGradInput(
    _ geometry: fovea_convolution, _ grad: Tensor, _ weight: Tensor, inputShape: [Int]
) -> Tensor {
    let outputs = weight.shape[3]
    let depth = geometry.kernel * geometry.kernel * geometry.in
    let result = Tensor.zeros(inputShape)
    let block = blockRows(geometry)
    // Blocks of one image overlap in the input, so an image is one task.
    parallelFor(inputShape[0]) { image in
        var geometry = geometry
        let columns = fovea_thread_scratch(0, block * geometry.out_width * depth).unsafelyUnwrapped
        for first in stride(from: 0, to: geometry.out_height, by: block) {
            let rows = min(block, geometry.out_height - first)
            fovea_sgemm(
                0, 1, rows * geometry.out_width, depth, outputs, 1,
                grad.pointer + (image * geometry.out_height + first) * geometry.out_width * outputs, outputs,
                weight.pointer, outputs, 0, columns, depth)
            fovea_col2im(
                &geometry, columns, first, rows,
                result.pointer + image * geometry.height * geometry.width * geometry.in)
        }
    }
    return result
}

private func unfoldedGradWeight(_ geometry: fovea_convolution, _ x: Tensor, _ grad: Tensor) -> Tensor {
    let outputs = grad.shape[3], images = x.shape[0]
    let depth = geometry.kernel * geometry.kernel * geometry.in
    let pixels = geometry.out_height * geometry.out_width
    let result = Tensor.zeros([geometry.kernel, geometry.kernel, geometry.in, outputs])
    // Groups of images, in order; in each, all are unfolded, then every block of rows of the result is one product.
    let group = max(1, min(images, 4_194_304 / max(1, pixels * depth)))
    let columns = Tensor(uninitialized: [group * pixels, depth])
    for start in stride(from: 0, to: images, by: group) {
        let count = min(group, images - start)
        parallelFor(count) { i in
            var geometry = geometry
            fovea_im2col(
                &geometry, x.pointer + (start + i) * geometry.height * geometry.width * geometry.in, 0,
                geometry.out_height, columns.pointer + i * pixels * depth)
        }
        parallelRuns(depth, grain: 64) { first, length in
            fovea_sgemm(
                1, 0, length, outputs, count * pixels, 1, columns.pointer + first, depth,
                grad.pointer + start * pixels * outputs, outputs, 1, result.pointer + first * outputs, outputs)
        }
    }
    return result
}
