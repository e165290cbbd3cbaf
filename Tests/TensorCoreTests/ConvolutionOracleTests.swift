import TensorCore
import TestTensors
import Testing

/// Convolution against naive loops in float64: every method of the ladder, borders, odd sizes, many batches.
@Suite struct ConvolutionOracleTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let x: [Int], out: Int, kernel: Int, stride: Int

        var testDescription: String { "\(x) -> \(out), \(kernel)x\(kernel), stride \(stride)" }
    }

    /// Winograd where both channel counts are multiples of 16; tiles whole, broken, fewer and more than a block.
    static let cases = [
        Case(x: [1, 1, 1, 16], out: 16, kernel: 3, stride: 1), Case(x: [2, 4, 4, 16], out: 32, kernel: 3, stride: 1),
        Case(x: [5, 8, 8, 48], out: 16, kernel: 3, stride: 1), Case(x: [1, 5, 7, 32], out: 16, kernel: 3, stride: 1),
        Case(x: [2, 32, 32, 16], out: 16, kernel: 3, stride: 1), Case(x: [3, 17, 1, 16], out: 48, kernel: 3, stride: 1),
        Case(x: [1, 64, 64, 16], out: 16, kernel: 3, stride: 1), Case(x: [13, 6, 10, 16], out: 16, kernel: 3, stride: 1),
        Case(x: [2, 9, 11, 3], out: 16, kernel: 3, stride: 1), Case(x: [2, 9, 11, 16], out: 3, kernel: 3, stride: 1),
        Case(x: [2, 12, 10, 16], out: 16, kernel: 3, stride: 2), Case(x: [2, 9, 10, 24], out: 17, kernel: 3, stride: 2),
        Case(x: [3, 9, 7, 33], out: 20, kernel: 1, stride: 1), Case(x: [2, 11, 9, 5], out: 4, kernel: 5, stride: 1),
    ]

    @Test(arguments: cases)
    func againstNaiveLoops(_ c: Case) {
        let pad = c.kernel / 2
        let x = randomTensor(c.x, seed: 1), w = randomTensor([c.kernel, c.kernel, c.x[3], c.out], seed: 2, scale: 0.1)
        let bias = randomTensor([c.out], seed: 3)
        let tape = Tape()
        let variables = [x, w, bias].map { tape.variable($0) }
        let output = variables[0].convolution(variables[1], bias: variables[2], stride: c.stride, padding: pad)
        let grad = randomTensor(output.shape, seed: 4)
        let gradients = tape.gradients(of: output, gradOutput: grad, for: variables)

        let (h, width, inputs) = (c.x[1], c.x[2], c.x[3])
        let (outHeight, outWidth) = ((h + 2 * pad - c.kernel) / c.stride + 1, (width + 2 * pad - c.kernel) / c.stride + 1)
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
}
