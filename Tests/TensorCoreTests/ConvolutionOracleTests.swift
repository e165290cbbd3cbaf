import TensorCore
import TestTensors
import Testing

/// Convolution against naive loops in float64: every method of the ladder, borders, odd sizes, many batches.
@Suite struct ConvolutionOracleTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let x: [Int], out: Int, kernel: Int, stride: Int
        /// Zeros above and to the left, below and to the right; half the kernel where nil.
        var padding: (before: Int, after: Int)?

        var testDescription: String {
            "\(x) -> \(out), \(kernel)x\(kernel), stride \(stride)\(padding.map { ", \($0)" } ?? "")"
        }
    }

    /// Winograd where both channel counts are multiples of 16; tiles whole, broken, fewer and more than a block.
    static let cases = [
        Case(x: [1, 1, 1, 16], out: 16, kernel: 3, stride: 1), Case(x: [2, 4, 4, 16], out: 32, kernel: 3, stride: 1),
        Case(x: [5, 8, 8, 48], out: 16, kernel: 3, stride: 1), Case(x: [1, 5, 7, 32], out: 16, kernel: 3, stride: 1),
        Case(x: [2, 32, 32, 16], out: 16, kernel: 3, stride: 1),
        Case(x: [3, 17, 1, 16], out: 48, kernel: 3, stride: 1),
        Case(x: [1, 64, 64, 16], out: 16, kernel: 3, stride: 1),
        Case(x: [13, 6, 10, 16], out: 16, kernel: 3, stride: 1),
        Case(x: [2, 9, 11, 3], out: 16, kernel: 3, stride: 1), Case(x: [2, 9, 11, 16], out: 3, kernel: 3, stride: 1),
        Case(x: [2, 12, 10, 16], out: 16, kernel: 3, stride: 2),
        Case(x: [2, 9, 10, 24], out: 17, kernel: 3, stride: 2),
        Case(x: [3, 9, 7, 33], out: 20, kernel: 1, stride: 1), Case(x: [2, 11, 9, 5], out: 4, kernel: 5, stride: 1),
        Case(x: [2, 12, 10, 16], out: 16, kernel: 3, stride: 2, padding: (0, 1)),
        Case(x: [2, 9, 10, 24], out: 17, kernel: 3, stride: 2, padding: (0, 1)),
        Case(x: [2, 8, 12, 16], out: 16, kernel: 3, stride: 1, padding: (0, 1)),
        Case(x: [1, 7, 9, 5], out: 4, kernel: 3, stride: 1, padding: (2, 0)),
        Case(x: [3, 9, 7, 33], out: 20, kernel: 1, stride: 1, padding: (0, 1)),
    ]

    @Test(arguments: cases)
    func againstNaiveLoops(_ c: Case) {
        let pad = c.padding?.before ?? c.kernel / 2, both = pad + (c.padding?.after ?? pad)
        let x = randomTensor(c.x, seed: 1), w = randomTensor([c.kernel, c.kernel, c.x[3], c.out], seed: 2, scale: 0.1)
        let bias = randomTensor([c.out], seed: 3)
        let tape = Tape()
        let variables = [x, w, bias].map { tape.variable($0) }
        let output = variables[0].convolution(
            variables[1], bias: variables[2], stride: c.stride, padding: pad, trailing: both - pad)
        let grad = randomTensor(output.shape, seed: 4)
        let gradients = tape.gradients(of: output, gradOutput: grad, for: variables)

        let (h, width, inputs) = (c.x[1], c.x[2], c.x[3])
        let (outHeight, outWidth) = ((h + both - c.kernel) / c.stride + 1, (width + both - c.kernel) / c.stride + 1)
        #expect(output.shape == [c.x[0], outHeight, outWidth, c.out])
        let xs = x.elements.map(Double.init), ws = w.elements.map(Double.init), gs = grad.elements.map(Double.init)
        var y = [Double](repeating: 0, count: output.tensor.count)
        var dx = [Double](repeating: 0, count: xs.count), dw = [Double](repeating: 0, count: ws.count)
        for n in 0..<c.x[0] {
            for oy in 0..<outHeight {
                for ox in 0..<outWidth {
                    let out = ((n * outHeight + oy) * outWidth + ox) * c.out
                    for o in 0..<c.out { y[out + o] = Double(bias.elements[o]) }
                    for ky in 0..<c.kernel {
                        for kx in 0..<c.kernel {
                            let iy = oy * c.stride + ky - pad, ix = ox * c.stride + kx - pad
                            guard iy >= 0, iy < h, ix >= 0, ix < width else { continue }
                            for i in 0..<inputs {
                                let at = ((n * h + iy) * width + ix) * inputs + i
                                let tap = ((ky * c.kernel + kx) * inputs + i) * c.out
                                for o in 0..<c.out {
                                    y[out + o] += xs[at] * ws[tap + o]
                                    dx[at] += gs[out + o] * ws[tap + o]
                                    dw[tap + o] += gs[out + o] * xs[at]
                                }
                            }
                        }
                    }
                }
            }
        }
        func difference(_ found: Tensor, _ expected: [Double]) -> Double {
            relativeDifference(found.elements.map(Double.init), expected)
        }
        #expect(difference(output.tensor, y) <= 1e-5)
        #expect(difference(gradients[0], dx) <= 1e-5)
        #expect(difference(gradients[1], dw) <= 1e-5)
    }

    /// Output [N, H, W, out] of a 3x3 convolution, tap by tap in float64.
    private func naive(_ x: Tensor, _ w: Tensor) -> [Float] {
        let (n, h, width, inputs, outputs) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3], w.shape[3])
        let xs = x.elements, ws = w.elements
        var result: [Float] = []
        for pixel in 0..<n * h * width {
            let (image, y, column) = (pixel / (h * width), pixel / width % h, pixel % width)
            for o in 0..<outputs {
                var sum = 0.0
                for tap in 0..<9 {
                    let (iy, ix) = (y + tap / 3 - 1, column + tap % 3 - 1)
                    guard iy >= 0, iy < h, ix >= 0, ix < width else { continue }
                    for i in 0..<inputs {
                        sum +=
                            Double(xs[((image * h + iy) * width + ix) * inputs + i])
                            * Double(ws[(tap * inputs + i) * outputs + o])
                    }
                }
                result.append(Float(sum))
            }
        }
        return result
    }

    /// What is not finite in the naive sums is not finite here, and what is finite there stays finite, though the
    /// transforms spread a NaN over a tile and overflow before the sums do.
    @Test(arguments: [Float.nan, .infinity, -.infinity, 1e37, 3e38])
    func whatIsNotFiniteStaysWhereItIs(_ value: Float) {
        for places in [[(0, 0)], [(5, 6)], [(3, 3), (8, 12)], [(12, 12)]] {
            var x = randomTensor([2, 13, 13, 16], seed: 1)
            let w = randomTensor([3, 3, 16, 32], seed: 2, scale: 0.1)
            x.withUnsafeMutableBuffer { for (y, column) in places { $0[(y * 13 + column) * 16 + 7] = value } }
            let output = Variable(x).convolution(Variable(w), bias: nil, padding: 1).tensor.elements
            let expected = naive(x, w)
            #expect(output.count == expected.count)
            let areAlike = zip(output, expected).allSatisfy { $0.isFinite == $1.isFinite }
            #expect(areAlike)
            // What is far from the value is untouched by it.
            let clean = zip(output, expected).allSatisfy { !$1.isFinite || abs($1) > 1e3 || abs($0 - $1) <= 1e-4 }
            #expect(clean || value.isFinite, "finite places next to \(value)")
        }
    }

    /// The gradient of the weight where the transforms overflow and the sums do not.
    @Test func gradientsOfTheWeightStayFinite() {
        let tape = Tape()
        let x = tape.variable(Tensor(repeating: 1e37, shape: [1, 8, 8, 16])),
            w = tape.variable(randomTensor([3, 3, 16, 16], seed: 2))
        let output = x.convolution(w, bias: nil, padding: 1)
        let gradients = tape.gradients(
            of: output, gradOutput: Tensor(repeating: 0.01, shape: output.shape), for: [x, w])
        let isFinite = gradients[1].elements.allSatisfy(\.isFinite)
        #expect(isFinite)
        // 64 pixels under the middle tap.
        #expect(abs(gradients[1].elements[4 * 256] / 6.4e36 - 1) <= 1e-5)
    }

    /// What is added to the output (a shift an image, a residual) and made of the input (normalised parts, doubled
    /// sides) equals the separate operations, values and gradients.
    @Test(arguments: [16, 24])
    func fusedConvolutionsEqualTheirParts(_ outputs: Int) {
        let a = randomTensor([3, 6, 10, 16], seed: 1), b = randomTensor([3, 6, 10, 8 + outputs % 16 + 8], seed: 2)
        let channels = a.shape[3] + b.shape[3]
        let w = randomTensor([3, 3, channels, outputs], seed: 3, scale: 0.1), bias = randomTensor([outputs], seed: 4)
        let scale = randomTensor([channels], seed: 5), offset = randomTensor([channels], seed: 6)
        let shift = randomTensor([3, outputs], seed: 7), residual = randomTensor([3, 6, 10, outputs], seed: 8)
        let grad = randomTensor([3, 6, 10, outputs], seed: 9)
        let inputs = [a, b, w, bias, scale, offset, shift, residual]
        func run(_ body: ([Variable]) -> Variable) -> [Tensor] {
            let tape = Tape()
            let variables = inputs.map { tape.variable($0) }
            let output = body(variables)
            return [output.tensor] + tape.gradients(of: output, gradOutput: grad, for: variables)
        }
        let fused = run { v in
            .convolution(
                ConvolutionInput(
                    normalizing: [v[0], v[1]], scale: v[4], shift: v[5],
                    GroupNormSettings(groups: 4, epsilon: 1e-5, silu: true)),
                v[2], bias: v[3], shift: v[6], residual: v[7], padding: 1)
        }
        let separate = run { v in
            v[0].concatenated(v[1]).groupNorm(scale: v[4], shift: v[5], groups: 4, epsilon: 1e-5, silu: true)
                .convolution(v[2], bias: v[3], padding: 1) + v[6].reshaped([3, 1, 1, outputs]) + v[7]
        }
        #expect(fused.count == separate.count)
        for (index, pair) in zip(fused, separate).enumerated() {
            let difference = relativeDifference(pair.0.elements.map(Double.init), pair.1.elements.map(Double.init))
            #expect(difference <= 2e-6, "\(index)")
        }
        let w2 = randomTensor([3, 3, 16, outputs], seed: 3, scale: 0.1),
            wide = randomTensor([3, 12, 20, outputs], seed: 9)
        func upsampling(_ body: (Variable, Variable) -> Variable) -> [Tensor] {
            let tape = Tape()
            let x = tape.variable(a), filters = tape.variable(w2)
            let output = body(x, filters)
            return [output.tensor] + tape.gradients(of: output, gradOutput: wide, for: [x, filters])
        }
        let made = upsampling { .convolution(ConvolutionInput(upsampling: $0), $1, bias: nil, padding: 1) }
        let kept = upsampling { $0.upsampledNearest().convolution($1, bias: nil, padding: 1) }
        expectSame(made, kept)
    }

    /// x W of two inputs side by side equals that of their concatenation, values and gradients.
    @Test func linearOfTwoPartsEqualsThatOfTheirConcatenation() {
        let tensors = [
            randomTensor([5, 7, 24], seed: 1), randomTensor([5, 7, 9], seed: 2), randomTensor([33, 20], seed: 3),
            randomTensor([20], seed: 4),
        ]
        func run(_ body: ([Variable]) -> Variable) -> [Tensor] {
            let tape = Tape()
            let variables = tensors.map { tape.variable($0) }
            let output = body(variables)
            return [output.tensor]
                + tape.gradients(of: output, gradOutput: randomTensor([5, 7, 20], seed: 5), for: variables)
        }
        let besides = run { $0[0].linear(besides: $0[1], $0[2], bias: $0[3]) }
        let joined = run { $0[0].concatenated($0[1]).linear($0[2], bias: $0[3]) }
        #expect(besides.count == joined.count)
        for (a, b) in zip(besides, joined) {
            #expect(relativeDifference(a.elements.map(Double.init), b.elements.map(Double.init)) <= 1e-6)
        }
    }
}
