import Randomness
import TensorCore

/// The times of one operation at one shape.
public struct OperationResult: Codable, Sendable {
    public let name: String
    /// The shape of the first input, [N, H, W, C] for pictures.
    public let shape: [Int]
    public let forward: Pass
    /// The times of all gradients together.
    public let backward: Pass

    /// The speed of one pass.
    public struct Pass: Codable, Sendable {
        public let milliseconds: Double
        /// Floating-point operations of the direct algorithm, in 1e9 per second.
        public let gflops: Double
        /// `gflops` divided by the sgemm peak of the same run.
        public let peakShare: Double
        /// The bytes that must at least be read and written, in 1e9 per second.
        public let gigabytesPerSecond: Double
    }
}

/// An operation to time: its inputs, its computation, and its cost.
struct OperationBenchmark {
    let name: String
    let inputs: [Tensor]
    /// Floating-point operations of the forward pass.
    let operations: Double
    /// The operations of the gradients, as a multiple of `operations`.
    var backwardFactor = 2.0
    let run: ([Variable]) -> Variable

    func measured(repeats: Int, peak: Double) -> OperationResult {
        let constants = inputs.map { Variable($0) }
        var output = Tensor.zeros([1])
        let forward = Timing.of(repeats: repeats) { output = run(constants).tensor }
        let gradient = output
        // A tape can be used for one pullback only, so each run records again, and the time of the forward pass is
        // subtracted.
        let both = Timing.of(repeats: repeats) {
            let tape = Tape()
            let variables = inputs.map { tape.variable($0) }
            _ = tape.gradients(of: run(variables), gradOutput: gradient, for: variables)
        }
        let bytes = 4 * Double(inputs.reduce(output.count) { $0 + $1.count })
        func pass(_ milliseconds: Double, factor: Double) -> OperationResult.Pass {
            let rate = factor * operations / milliseconds / 1e6
            return .init(
                milliseconds: milliseconds, gflops: rate, peakShare: rate / peak,
                gigabytesPerSecond: factor * bytes / milliseconds / 1e6)
        }
        return OperationResult(
            name: name, shape: inputs[0].shape, forward: pass(forward.median, factor: 1),
            backward: pass(max(1e-6, both.median - forward.median), factor: backwardFactor))
    }

    private static func random(_ shape: [Int], _ index: UInt64, deviation: Float = 1) -> Tensor {
        var random = Philox(seed: 2, stream: .trainingNoise, index: index)
        return Tensor(shape: shape) { buffer in
            random.fillNormal(buffer)
            for i in buffer.indices { buffer[i] *= deviation }
        }
    }

    static func convolution(_ batch: Int, _ side: Int, _ inputs: Int, _ outputs: Int, kernel: Int = 3, stride: Int = 1)
        -> OperationBenchmark
    {
        let deviation = 1 / Float(kernel * kernel * inputs).squareRoot()
        let outputSide = side / stride
        return OperationBenchmark(
            name: "convolution \(kernel)x\(kernel)" + (stride > 1 ? " stride \(stride)" : "")
                + " \(inputs) -> \(outputs)",
            inputs: [
                random([batch, side, side, inputs], 0),
                random([kernel, kernel, inputs, outputs], 1, deviation: deviation),
                random([outputs], 2),
            ],
            operations: 2 * Double(batch * outputSide * outputSide * kernel * kernel * inputs * outputs)
        ) { $0[0].convolution($0[1], bias: $0[2], stride: stride, padding: kernel / 2) }
    }

    private static func elementwise(
        _ name: String, _ shape: [Int], perElement: Double, _ run: @escaping (Variable) -> Variable
    )
        -> OperationBenchmark
    {
        OperationBenchmark(
            name: name, inputs: [random(shape, 0)], operations: perElement * Double(shape.reduce(1, *))
        ) { run($0[0]) }
    }

    /// The 3x3 convolutions with stride 1 in the base preset at 64 x 64 pixels.
    static func convolutions(batch: Int) -> [OperationBenchmark] {
        [
            (64, 64, 64), (64, 128, 64), (64, 192, 64), (64, 128, 128), (32, 64, 128), (32, 128, 128), (32, 256, 128),
            (32, 384, 128), (32, 256, 256), (16, 128, 256), (16, 256, 256), (16, 384, 256), (16, 512, 256),
            (8, 256, 256), (8, 512, 256),
        ].map { convolution(batch, $0.0, $0.1, $0.2) }
    }

    /// The other operations of a UNet, at the base preset's shapes.
    static func others(batch: Int) -> [OperationBenchmark] {
        func norm(_ side: Int, _ channels: Int) -> OperationBenchmark {
            // About 20 operations for each element: two moments, scale, shift and SiLU.
            OperationBenchmark(
                name: "group norm + SiLU",
                inputs: [random([batch, side, side, channels], 0), random([channels], 1), random([channels], 2)],
                operations: 20 * Double(batch * side * side * channels)
            ) { $0[0].groupNorm(scale: $0[1], shift: $0[2], groups: 32, epsilon: 1e-5, silu: true) }
        }
        let tokens = 256, width = 256
        return [
            convolution(batch, 64, 3, 64), convolution(batch, 64, 64, 3),
            convolution(batch, 64, 192, 64, kernel: 1), convolution(batch, 32, 384, 128, kernel: 1),
            convolution(batch, 16, 512, 256, kernel: 1), convolution(batch, 64, 64, 64, stride: 2),
            convolution(batch, 32, 128, 128, stride: 2),
            norm(64, 64), norm(64, 192), norm(32, 128), norm(16, 256),
            OperationBenchmark(
                name: "attention, heads of 8", inputs: (0..<3).map { random([batch, tokens, width], UInt64($0)) },
                operations: 4 * Double(batch * tokens * tokens * width), backwardFactor: 2.5
            ) { $0[0].attention(keys: $0[1], values: $0[2], heads: width / 8) },
            OperationBenchmark(
                name: "linear",
                inputs: [
                    random([batch, tokens, width], 0), random([width, width], 1, deviation: 0.06), random([width], 2),
                ],
                operations: 2 * Double(batch * tokens * width * width)
            ) { $0[0].linear($0[1], bias: $0[2]) },
            elementwise("upsampling", [batch, 32, 32, 128], perElement: 4) { $0.upsampledNearest() },
            elementwise("SiLU", [batch, 64, 64, 64], perElement: 15) { $0.silu() },
            OperationBenchmark(
                name: "addition", inputs: [random([batch, 64, 64, 64], 0), random([batch, 64, 64, 64], 1)],
                operations: Double(batch * 64 * 64 * 64)
            ) { $0[0] + $0[1] },
        ]
    }
}
