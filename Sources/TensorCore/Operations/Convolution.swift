import CKernels

// Convolution of [N, H, W, C] pictures. There are four methods, the slowest first:
//   1. the naive loops in Tests (float64), which the others are checked against;
//   2. im2col and one product for each block of rows: any kernel and stride (here);
//   3. a plain product for 1x1, stride 1 (Linear.swift);
//   4. Winograd F(4x4, 3x3) for 3x3, stride 1, channels in multiples of 16 (Winograd.swift).

extension Variable {
    /// Cross-correlation with `weight` and zero padding, as deep-learning libraries define convolution.
    ///
    /// - Parameters:
    ///   - weight: [k, k, in, out].
    ///   - bias: [out], or nil.
    ///   - padding: zeros above and to the left.
    ///   - trailing: zeros below and to the right; nil means as many as `padding`.
    /// - Returns: [N, (H + padding + trailing - k) / stride + 1, ..., out].
    public func convolution(
        _ weight: Variable, bias: Variable?, stride: Int = 1, padding: Int, trailing: Int? = nil
    ) -> Variable {
        .convolution(ConvolutionInput(self), weight, bias: bias, stride: stride, padding: padding, trailing: trailing)
    }

    /// Convolution of an input that is computed when it is needed, with further terms added to the output.
    ///
    /// - Parameters:
    ///   - shift: [N, out], added to every pixel of a picture; or nil.
    ///   - residual: a tensor of the output's shape that is added to it; or nil.
    public static func convolution(
        _ input: ConvolutionInput, _ weight: Variable, bias: Variable?, shift: Variable? = nil,
        residual: Variable? = nil,
        stride: Int = 1, padding: Int, trailing: Int? = nil
    ) -> Variable {
        let parts = input.parts.map(\.tensor)
        let made = input.made()
        let method = ConvolutionMethod(
            made.tensor.shape, weight.shape, stride: stride, padding: padding, trailing: trailing ?? padding)
        let inputShape = made.tensor.shape
        let output = method.forward(
            made.tensor, weight.tensor,
            Added(bias: bias?.tensor, shift: shift?.tensor, residual: residual?.tensor))
        let inputs = input.parts + input.parameters + [weight] + [bias, shift, residual].compactMap { $0 }
        let needsInput = (input.parts + input.parameters).contains(where: \.isTracked)
        let isTracked = weight.isTracked, hasBias = bias != nil, hasShift = shift != nil, hasResidual = residual != nil
        let (filters, prologue, images) = (weight.tensor, made.prologue, inputShape[0])
        return Tape.record(inputs, output) { grad in
            let gradWeight = isTracked ? method.gradWeight(prologue.apply(parts), grad) : nil
            var gradients: [Tensor?] =
                needsInput
                ? prologue.pullback(parts, method.gradInput(grad, filters, inputShape: inputShape))
                : (0..<prologue.inputs(parts)).map { _ in nil }
            gradients.append(gradWeight)
            if hasBias || hasShift {
                let outputs = grad.shape[3]
                let byImage = sumMiddle(grad, outer: images, summed: grad.shape[1] * grad.shape[2], inner: outputs)
                if hasBias { gradients.append(sumToShape(byImage, [outputs])) }
                if hasShift { gradients.append(byImage) }
            }
            if hasResidual { gradients.append(grad) }
            return gradients
        }
    }
}

/// The input of a convolution: a picture, or one that is computed from other pictures right before the convolution and
/// again in its pullback, so that it is never kept.
public struct ConvolutionInput {
    let parts: [Variable]
    let parameters: [Variable]
    private let settings: GroupNormSettings?
    private let isUpsampled: Bool

    /// A picture as it is.
    public init(_ picture: Variable) {
        (parts, parameters, settings, isUpsampled) = ([picture], [], nil, false)
    }

    /// `picture` with its sides doubled by repeating pixels.
    public init(upsampling picture: Variable) {
        (parts, parameters, settings, isUpsampled) = ([picture], [], nil, true)
    }

    /// Group normalisation of several pictures, as if they were concatenated along the channels.
    public init(normalizing parts: [Variable], scale: Variable, shift: Variable, _ settings: GroupNormSettings) {
        (self.parts, parameters, self.settings, isUpsampled) = (parts, [scale, shift], settings, false)
    }

    /// The input picture, and the prologue that computes it again.
    fileprivate func made() -> (tensor: Tensor, prologue: Prologue) {
        let tensors = parts.map(\.tensor)
        let prologue: Prologue =
            settings.map {
                .normalization(GroupNorm(tensors, $0, scale: parameters[0].tensor, shift: parameters[1].tensor))
            } ?? (isUpsampled ? .upsampling : .none)
        return (prologue.apply(tensors), prologue)
    }
}

/// How the convolution's input is computed from the tensors that are kept.
private enum Prologue {
    case none
    case upsampling
    case normalization(GroupNorm)

    func apply(_ parts: [Tensor]) -> Tensor {
        switch self {
        case .none: parts[0]
        case .upsampling: upsampled(parts[0])
        case .normalization(let norm): norm.apply(parts)
        }
    }

    /// The number of parts and parameters together.
    func inputs(_ parts: [Tensor]) -> Int {
        if case .normalization = self { parts.count + 2 } else { 1 }
    }

    /// - Parameter grad: held by nobody else; the pullback may overwrite it.
    func pullback(_ parts: [Tensor], _ grad: Tensor) -> [Tensor?] {
        switch self {
        case .none: return [grad]
        case .upsampling: return [sumOfQuads(grad, scale: 1)]
        case .normalization(let norm):
            let gradients = norm.pullback(parts, grad, overwriting: grad)
            return gradients.inputs + [gradients.scale, gradients.shift]
        }
    }
}

/// The terms that are added to a convolution's output.
struct Added {
    /// [out]
    var bias: Tensor?
    /// [N, out]
    var shift: Tensor?
    /// The output's shape.
    var residual: Tensor?

    /// The sum of bias and shift, [N or 1, out].
    var perImage: Tensor? {
        guard let shift else { return bias?.reshaped([1, bias?.count ?? 0]) }
        return bias.map { shift + $0 } ?? shift
    }

    /// `output` plus shift and residual; the bias must be in `output` already.
    func add(to output: Tensor) -> Tensor {
        var result = output
        if let shift { result = result + shift.reshaped([shift.shape[0], 1, 1, shift.shape[1]]) }
        if let residual { result = result + residual }
        return result
    }
}

/// The method by which a convolution is computed. It is chosen by shape alone.
enum ConvolutionMethod {
    case pointwise
    case winograd
    case unfolded(fovea_convolution)

    init(_ x: [Int], _ weight: [Int], stride: Int, padding: Int, trailing: Int) {
        requireShape(
            x.count == 4 && weight.count == 4 && weight[0] == weight[1] && weight[2] == x[3] && stride > 0
                && min(x[1], x[2]) + padding + trailing >= weight[0], "convolution", x, weight)
        let kernel = weight[0]
        if kernel == 1, stride == 1, padding == 0, trailing == 0 {
            self = .pointwise
        } else if kernel == 3, stride == 1, padding == 1, trailing == 1, weight[2] % 16 == 0, weight[3] % 16 == 0 {
            self = .winograd
        } else {
            self = .unfolded(
                ConvolutionMethod.geometry(x, kernel: kernel, stride: stride, padding: padding, trailing: trailing))
        }
    }

    private static func geometry(
        _ x: [Int], kernel: Int, stride: Int, padding: Int, trailing: Int
    ) -> fovea_convolution {
        fovea_convolution(
            height: x[1], width: x[2], in: x[3], out_height: (x[1] + padding + trailing - kernel) / stride + 1,
            out_width: (x[2] + padding + trailing - kernel) / stride + 1, kernel: kernel, stride: stride, pad: padding)
    }

    func forward(_ x: Tensor, _ weight: Tensor, _ added: Added) -> Tensor {
        switch self {
        case .pointwise:
            added.add(to: linearForward(x, weight.reshaped([weight.shape[2], weight.shape[3]]), bias: added.bias))
        case .winograd: winogradForward(x, TransformedWeight.of(weight), added)
        case .unfolded(let geometry): added.add(to: unfoldedForward(geometry, x, weight, bias: added.bias))
        }
    }

    func gradInput(_ grad: Tensor, _ weight: Tensor, inputShape: [Int]) -> Tensor {
        switch self {
        case .pointwise: linearGradInput(grad, weight.reshaped([weight.shape[2], weight.shape[3]]))
        case .winograd: winogradForward(grad, TransformedWeight(weight, turned: true), Added())
        case .unfolded(let geometry): unfoldedGradInput(geometry, grad, weight, inputShape: inputShape)
        }
    }

    func gradWeight(_ x: Tensor, _ grad: Tensor) -> Tensor {
        switch self {
        case .pointwise: linearGradWeight(x, grad).reshaped([1, 1, x.shape[3], grad.shape[3]])
        case .winograd:
            winogradGradWeight(x, grad)
                ?? unfoldedGradWeight(
                    ConvolutionMethod.geometry(x.shape, kernel: 3, stride: 1, padding: 1, trailing: 1), x, grad)
        case .unfolded(let geometry): unfoldedGradWeight(geometry, x, grad)
        }
    }
}

/// The number of output pixels in a block. The unfolded block stays near 256 KiB, and the number is a multiple of the
/// rows of a product's tile.
private func blockPixels(_ depth: Int) -> Int { max(12, min(1536, 65536 / depth / 12 * 12)) }

private func unfoldedForward(_ geometry: fovea_convolution, _ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
    let outputs = weight.shape[3]
    let depth = geometry.kernel * geometry.kernel * geometry.in
    let output = Tensor(uninitialized: [x.shape[0], geometry.out_height, geometry.out_width, outputs])
    let packed = PackedMatrix.of(weight, k: depth, columns: outputs)
    parallelRuns(x.shape[0] * geometry.out_height * geometry.out_width, grain: blockPixels(depth)) { first, count in
        var geometry = geometry
        let columns = fovea_thread_scratch(0, count * depth).unsafelyUnwrapped
        fovea_im2col(&geometry, x.pointer, first, count, columns)
        let target = output.pointer + first * outputs
        packed.multiply(rows: count, columns, into: target)
        if let bias { Kernels.table.add_bias(count, outputs, bias.pointer, target) }
    }
    return output
}

/// The weight of the adjoint convolution: turned by 180 degrees, with inputs and outputs exchanged.
private func turned(_ weight: Tensor) -> Tensor {
    let taps = weight.shape[0] * weight.shape[1], inputs = weight.shape[2], outputs = weight.shape[3]
    let result = Tensor(uninitialized: [weight.shape[0], weight.shape[1], outputs, inputs])
    for tap in 0..<taps {
        let source = weight.pointer + tap * inputs * outputs
        let target = result.pointer + (taps - 1 - tap) * inputs * outputs
        for i in 0..<inputs {
            for o in 0..<outputs { target[o * inputs + i] = source[i * outputs + o] }
        }
    }
    return result
}

private func unfoldedGradInput(
    _ geometry: fovea_convolution, _ grad: Tensor, _ weight: Tensor, inputShape: [Int]
) -> Tensor {
    let outputs = weight.shape[3]
    // With stride 1 the adjoint is a convolution of the gradient, so that blocks do not overlap.
    if geometry.stride == 1, geometry.pad < geometry.kernel {
        var adjoint = geometry
        adjoint.height = geometry.out_height
        adjoint.width = geometry.out_width
        adjoint.in = outputs
        adjoint.out_height = geometry.height
        adjoint.out_width = geometry.width
        adjoint.pad = geometry.kernel - 1 - geometry.pad
        return unfoldedForward(adjoint, grad, turned(weight), bias: nil)
    }
    let depth = geometry.kernel * geometry.kernel * geometry.in
    let result = Tensor.zeros(inputShape)
    let packed = PackedMatrix(transposing: weight.pointer, k: outputs, columns: depth)
    let block = max(1, blockPixels(depth) / geometry.out_width)
    // Blocks of one image overlap in the input, so an image is one task.
    parallelFor(inputShape[0]) { image in
        var geometry = geometry
        let columns = fovea_thread_scratch(0, block * geometry.out_width * depth).unsafelyUnwrapped
        for first in stride(from: 0, to: geometry.out_height, by: block) {
            let rows = min(block, geometry.out_height - first)
            packed.multiply(
                rows: rows * geometry.out_width,
                grad.pointer + (image * geometry.out_height + first) * geometry.out_width * outputs, into: columns)
            fovea_col2im(
                &geometry, columns, first, rows,
                result.pointer + image * geometry.height * geometry.width * geometry.in)
        }
    }
    return result
}

private func unfoldedGradWeight(_ geometry: fovea_convolution, _ x: Tensor, _ grad: Tensor) -> Tensor {
    let outputs = grad.shape[3]
    let depth = geometry.kernel * geometry.kernel * geometry.in
    let pixels = geometry.out_height * geometry.out_width
    let result = adjointProduct(rows: x.shape[0] * pixels, aColumns: depth, bColumns: outputs) { first, count, a, b in
        var geometry = geometry
        let columns = fovea_thread_scratch(2, count * depth).unsafelyUnwrapped
        fovea_im2col(&geometry, x.pointer, first, count, columns)
        Kernels.table.pack(count, depth, columns, depth, a)
        Kernels.table.pack(count, outputs, grad.pointer + first * outputs, outputs, b)
    }
    return result.reshaped([geometry.kernel, geometry.kernel, geometry.in, outputs])
}
