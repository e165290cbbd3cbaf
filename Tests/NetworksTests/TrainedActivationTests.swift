import CheckpointStore
import Foundation
import Networks
import Randomness
import TensorCore
import TestTensors
import Testing

/// Winograd on what it meets in earnest: the shipped model's weights (5,000 training steps) and the activations that
/// they make of a noisy disc, at every residual block on the way down.
@Suite struct TrainedActivationTests {
    private static let configuration = Preset.small.configuration

    private struct Layers {
        let tensors: [String: Tensor]

        func weight(_ path: String) throws -> Variable {
            // [out, in, k, k] -> [k, k, in, out]
            Variable(permuted(try #require(tensors["\(path).weight"]), [2, 3, 1, 0]))
        }

        func plain(_ path: String) throws -> Variable { Variable(try #require(tensors[path])) }

        func norm(_ x: Variable, _ path: String) throws -> Variable {
            x.groupNorm(
                scale: try plain("\(path).weight"), shift: try plain("\(path).bias"), groups: configuration.normGroups,
                epsilon: Float(configuration.normEpsilon), silu: true)
        }

        func convolution(_ x: Variable, _ path: String, stride: Int = 1) throws -> Variable {
            let weight = try weight(path)
            return x.convolution(weight, bias: try plain("\(path).bias"), stride: stride, padding: weight.shape[0] / 2)
        }
    }

    /// The convolution of `x`, and how far it and its gradients are from float64 sums at many places.
    private func check(_ x: Tensor, _ weight: Tensor, _ path: String) throws -> Tensor {
        let (h, w, inputs, outputs) = (x.shape[1], x.shape[2], x.shape[3], weight.shape[3])
        let tape = Tape()
        let variables = [tape.variable(x), tape.variable(weight)]
        let output = variables[0].convolution(variables[1], bias: nil, padding: 1)
        let grad = Tensor(output.tensor.elements.map { $0 * 0.01 }, shape: output.shape)
        let gradients = tape.gradients(of: output, gradOutput: grad, for: variables)
        let xs = x.elements, ws = weight.elements, gs = grad.elements
        var random = Philox(seed: 11, stream: .tests, index: 0)
        func pick(_ count: Int) -> Int { Int(random.nextUniform() * Double(count)) }
        var found: [[Double]] = [[], [], []], exact = found
        for _ in 0..<300 {
            let (y, column, i, o, tap) = (pick(h), pick(w), pick(inputs), pick(outputs), pick(9))
            var sums = [0.0, 0.0, 0.0]
            for t in 0..<9 {
                let (iy, ix) = (y + t / 3 - 1, column + t % 3 - 1)
                guard iy >= 0, iy < h, ix >= 0, ix < w else { continue }
                for c in 0..<inputs {
                    sums[0] += Double(xs[(iy * w + ix) * inputs + c]) * Double(ws[(t * inputs + c) * outputs + o])
                }
                for c in 0..<outputs {
                    sums[1] +=
                        Double(gs[(iy * w + ix) * outputs + c]) * Double(ws[((8 - t) * inputs + i) * outputs + c])
                }
            }
            for oy in 0..<h {
                for ox in 0..<w {
                    let (iy, ix) = (oy + tap / 3 - 1, ox + tap % 3 - 1)
                    guard iy >= 0, iy < h, ix >= 0, ix < w else { continue }
                    sums[2] += Double(xs[(iy * w + ix) * inputs + i]) * Double(gs[(oy * w + ox) * outputs + o])
                }
            }
            found[0].append(Double(output.tensor.elements[(y * w + column) * outputs + o]))
            found[1].append(Double(gradients[0].elements[(y * w + column) * inputs + i]))
            found[2].append(Double(gradients[1].elements[(tap * inputs + i) * outputs + o]))
            for k in 0..<3 { exact[k].append(sums[k]) }
        }
        for (index, tensor) in [output.tensor, gradients[0], gradients[1]].enumerated() {
            let name = ["output", "gradient of the input", "gradient of the weight"][index]
            let largest = tensor.elements.reduce(0) { max($0, Double(abs($1))) }
            let worst = zip(found[index], exact[index]).reduce(0) { max($0, abs($1.0 - $1.1)) }
            let relative = relativeDifference(found[index], exact[index])
            #expect(relative <= 1e-5, "\(path): \(name)")
            #expect(worst <= 3e-5 * largest, "\(path): \(name), of the largest value")
        }
        return output.tensor
    }

    @Test func winogradStaysExactOnTrainedWeights() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = try Safetensors(contentsOf: root.appendingPathComponent("Checkpoints/open-64.safetensors").path)
        let layers = Layers(tensors: file.tensors)
        // A disc with a brighter spot, and noise of deviation 0.3.
        let size = 64
        let noise = randomTensor([1, size, size, 3], seed: 1, scale: 0.3).elements
        let picture = Tensor(
            (0..<size * size * 3).map { index in
                let (y, x) = (Float(index / 3 / size) - 31.5, Float(index / 3 % size) - 31.5)
                let disc: Float = x * x + y * y < 900 ? [0.2, -0.4, -0.7][index % 3] : -1
                let spot: Float = (x - 12) * (x - 12) + y * y < 16 ? 0.5 : 0
                return (disc + spot + noise[index]) / 0.6
            }, shape: [1, size, size, 3])
        var h = try layers.convolution(Variable(picture), "conv_in")
        var checked = 0
        for level in 0..<TrainedActivationTests.configuration.blockOutChannels.count {
            for block in 0..<TrainedActivationTests.configuration.layersPerBlock {
                let path = "down_blocks.\(level).resnets.\(block)"
                var inner = h
                for part in ["1", "2"] {
                    let activated = try layers.norm(inner, "\(path).norm\(part)")
                    inner = Variable(
                        try check(
                            activated.tensor, try layers.weight("\(path).conv\(part)").tensor, "\(path).conv\(part)"))
                    checked += 1
                }
                let straight =
                    layers.tensors["\(path).conv_shortcut.weight"] == nil
                    ? h : try layers.convolution(h, "\(path).conv_shortcut")
                h = straight + inner
            }
            let down = "down_blocks.\(level).downsamplers.0.conv"
            if layers.tensors["\(down).weight"] != nil { h = try layers.convolution(h, down, stride: 2) }
        }
        #expect(checked == 16)
    }
}
