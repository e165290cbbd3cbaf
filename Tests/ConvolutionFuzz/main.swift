// Convolutions of random shapes against sums in float64, at random places: sides 1 to 130, channels 1 to 512, batches 1
// to 33. Tools/test runs it under the address and undefined-behaviour sanitizers.
//
//   convolution-fuzz [CASES] [SEED]

import Foundation
import Randomness
import TensorCore

struct Case {
    let images: Int, height: Int, width: Int, inputs: Int, outputs: Int
    let kernel: Int, stride: Int

    var padding: Int { kernel / 2 }
    var outHeight: Int { (height + 2 * padding - kernel) / stride + 1 }
    var outWidth: Int { (width + 2 * padding - kernel) / stride + 1 }
    var multiplyAdds: Int { images * outHeight * outWidth * kernel * kernel * inputs * outputs }

    init(_ random: inout Philox) {
        func pick(_ most: Int) -> Int { 1 + Int(random.nextUniform() * Double(most)) }
        // Small ones are likelier: borders and remainders are there.
        func side() -> Int { random.nextUniform() < 0.6 ? pick(12) : pick(130) }
        func channels() -> Int {
            switch random.nextUniform() {
            case ..<0.5: 16 * pick(32)
            case ..<0.7: 16 * pick(4)
            default: pick(512)
            }
        }
        images = random.nextUniform() < 0.5 ? pick(3) : pick(33)
        (height, width) = (side(), side())
        (inputs, outputs) = (channels(), channels())
        kernel = random.nextUniform() < 0.85 ? 3 : 1
        stride = kernel == 3 && random.nextUniform() < 0.15 ? 2 : 1
    }

    var description: String {
        "[\(images), \(height), \(width), \(inputs)] -> \(outputs), \(kernel)x\(kernel), stride \(stride)"
    }
}

func tensor(_ shape: [Int], _ random: inout Philox) -> Tensor { Tensor(shape: shape) { random.fillNormal($0) } }

/// Relative l2 difference over the places looked at, and the largest over the largest value anywhere.
struct Difference {
    private var error = 0.0, size = 0.0, worst = 0.0
    let largest: Double

    init(of tensor: Tensor) { largest = tensor.elements.reduce(0) { max($0, Double(abs($1))) } }

    mutating func add(_ found: Float, _ exact: Double) {
        let difference = Double(found) - exact
        error += difference * difference
        size += exact * exact
        // NaN stays.
        worst = difference.isNaN ? .nan : max(worst, abs(difference))
    }

    /// Sums of few or cancelling terms have no meaningful relative error: a floor keeps them comparable.
    var relative: Double { (error / max(size, 1e-12)).squareRoot() }
    var ofLargest: Double { largest == 0 ? worst : worst / largest }
    var isWithin: Bool { relative <= 1e-5 && ofLargest <= 3e-5 }
}

let arguments = CommandLine.arguments.dropFirst().map { Int($0) ?? 0 }
let cases = arguments.first ?? 60
var random = Philox(seed: UInt64(arguments.dropFirst().first ?? 1), stream: .tests, index: 0)
var done = 0, failures = 0, worst = (relative: 0.0, at: ""), largest = 0.0
while done < cases {
    let c = Case(&random)
    guard c.multiplyAdds < 1_500_000_000 else { continue }
    done += 1
    let x = tensor([c.images, c.height, c.width, c.inputs], &random)
    let w = tensor([c.kernel, c.kernel, c.inputs, c.outputs], &random), bias = tensor([c.outputs], &random)
    let grad = tensor([c.images, c.outHeight, c.outWidth, c.outputs], &random)
    let tape = Tape()
    let variables = [x, w, bias].map { tape.variable($0) }
    let output = variables[0].convolution(variables[1], bias: variables[2], stride: c.stride, padding: c.padding)
    let gradients = tape.gradients(of: output, gradOutput: grad, for: variables)
    let (xs, ws, bs, gs) = (x.elements, w.elements, bias.elements, grad.elements)
    let (ys, dxs, dws) = (output.tensor.elements, gradients[0].elements, gradients[1].elements)
    func pick(_ count: Int) -> Int { Int(random.nextUniform() * Double(count)) }
    /// Input row or column under a tap; nil outside.
    func under(_ at: Int, _ tap: Int, _ side: Int) -> Int? {
        let place = at * c.stride + tap - c.padding
        return place >= 0 && place < side ? place : nil
    }
    var differences = [Difference(of: output.tensor), Difference(of: gradients[0]), Difference(of: gradients[1])]
    for _ in 0..<48 {
        // An output.
        var (n, y, xx, o) = (pick(c.images), pick(c.outHeight), pick(c.outWidth), pick(c.outputs))
        var exact = Double(bs[o])
        for kh in 0..<c.kernel {
            for kw in 0..<c.kernel {
                guard let row = under(y, kh, c.height), let column = under(xx, kw, c.width) else { continue }
                for i in 0..<c.inputs {
                    exact +=
                        Double(xs[((n * c.height + row) * c.width + column) * c.inputs + i])
                        * Double(ws[((kh * c.kernel + kw) * c.inputs + i) * c.outputs + o])
                }
            }
        }
        differences[0].add(ys[((n * c.outHeight + y) * c.outWidth + xx) * c.outputs + o], exact)
        // A gradient of the input.
        var i = pick(c.inputs)
        (n, y, xx) = (pick(c.images), pick(c.height), pick(c.width))
        exact = 0
        for kh in 0..<c.kernel {
            for kw in 0..<c.kernel {
                let row = y + c.padding - kh, column = xx + c.padding - kw
                guard row >= 0, column >= 0, row % c.stride == 0, column % c.stride == 0, row / c.stride < c.outHeight,
                    column / c.stride < c.outWidth
                else { continue }
                for o in 0..<c.outputs {
                    exact +=
                        Double(
                            gs[((n * c.outHeight + row / c.stride) * c.outWidth + column / c.stride) * c.outputs + o])
                        * Double(ws[((kh * c.kernel + kw) * c.inputs + i) * c.outputs + o])
                }
            }
        }
        differences[1].add(dxs[((n * c.height + y) * c.width + xx) * c.inputs + i], exact)
        // A gradient of the weight.
        let (kh, kw) = (pick(c.kernel), pick(c.kernel))
        (i, o) = (pick(c.inputs), pick(c.outputs))
        exact = 0
        for n in 0..<c.images {
            for y in 0..<c.outHeight {
                guard let row = under(y, kh, c.height) else { continue }
                for xx in 0..<c.outWidth {
                    guard let column = under(xx, kw, c.width) else { continue }
                    exact +=
                        Double(xs[((n * c.height + row) * c.width + column) * c.inputs + i])
                        * Double(gs[((n * c.outHeight + y) * c.outWidth + xx) * c.outputs + o])
                }
            }
        }
        differences[2].add(dws[((kh * c.kernel + kw) * c.inputs + i) * c.outputs + o], exact)
    }
    for (name, difference) in zip(["output", "gradInput", "gradWeight"], differences) {
        if difference.relative > worst.relative { worst = (difference.relative, "\(name) of \(c.description)") }
        largest = max(largest, difference.ofLargest)
        if !difference.isWithin {
            failures += 1
            print(
                """
                FAILED \(c.description): \(name) differs by \(difference.relative), \(difference.ofLargest) of the \
                largest value
                """
            )
        }
    }
}
print(
    """
    \(done) shapes, \(failures) failures; worst relative difference \(worst.relative) (\(worst.at)), \(largest) of \
    the largest value
    """
)
exit(failures == 0 ? 0 : 1)
