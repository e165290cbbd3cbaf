import CKernels
import Foundation

// The head of a denoiser that also predicts where the picture is black: D = A + S (black - A), with A = c_skip x +
// c_out F and S = 1 / (1 + e^(offset - g)).
//
// The surround of a fundus photograph is black without any noise. The expected picture given a noisy one is therefore a
// mixture of black and of what is expected inside the eye, and S is the probability of black. If S were trained through
// D, the gate would not open: inside the eye S must first fall below c_out^2, and its gradient falls with it. In a
// trial, S was trained on the true black places while F was trained through D. The losses in the first 3,000 images
// were 50 times as high, because an S of 0.05 is a large error at low noise. So F and S are trained apart: F through A,
// and S by the binary cross-entropy of the black places, whose optimum is the same probability.

/// The coefficients of the head for each picture.
public struct DenoiserHead: Sendable {
    /// c_skip and c_out, [N, C].
    public let skip: Tensor, out: Tensor
    /// The channels of a black block, [C].
    public let black: [Float]
    /// S passes one half where g exceeds this.
    public let offset: Float

    public init(skip: Tensor, out: Tensor, black: [Float], offset: Float) {
        (self.skip, self.out, self.black, self.offset) = (skip, out, black, offset)
    }

    private func require(_ raw: Tensor, _ x: Tensor) {
        requireShape(
            raw.shape.dropLast() == x.shape.dropLast() && raw.shape[raw.rank - 1] > black.count
                && x.shape.last == black.count
                && skip.shape == [x.shape[0], black.count] && out.shape == skip.shape, "DenoiserHead",
            [raw.shape, skip.shape], x.shape)
    }

    /// Calls `body` on the pool for runs of places; no run crosses from one picture to the next.
    private func eachRun(_ raw: Tensor, _ body: (_ picture: Int, _ start: Int, _ length: Int) -> Void) {
        let pictures = raw.shape[0], places = raw.shape.dropLast().reduce(1, *) / max(1, pictures)
        let grain = max(1, 16384 / black.count), runs = (places + grain - 1) / grain
        parallelFor(pictures * runs) { run in
            let start = run % runs * grain
            body(run / runs, run / runs * places + start, min(grain, places - start))
        }
    }

    /// D, [N, H, W, C].
    ///
    /// - Parameters:
    ///   - raw: the network's output, [N, H, W, C + 1 or more]: F, then g; channels after g are not used.
    ///   - x: the noisy pictures, [N, H, W, C].
    public func denoised(_ raw: Tensor, _ x: Tensor) -> Tensor {
        require(raw, x)
        let channels = black.count, width = raw.shape[raw.rank - 1], result = Tensor(uninitialized: x.shape)
        black.withUnsafeBufferPointer { black in
            nonisolated(unsafe) let black = black
            eachRun(raw) { picture, start, length in
                let s = skip.pointer + picture * channels, o = out.pointer + picture * channels
                for place in start..<start + length {
                    let f = raw.pointer + place * width, from = x.pointer + place * channels
                    let probability = 1 / (1 + expf(offset - f[channels])), target = result.pointer + place * channels
                    for c in 0..<channels {
                        let straight = s[c] * from[c] + o[c] * f[c]
                        target[c] = straight + probability * (black[c] - straight)
                    }
                }
            }
        }
        return result
    }

    /// The weight of a black place in the loss of F.
    private static let blackWeight: Float = 0.1

    /// The loss of each picture: the mean of weight times (A - clean)^2, in which black places count a tenth (S
    /// replaces A there), plus the mean cross-entropy of S over places.
    ///
    /// - Parameters:
    ///   - raw, x: as in `denoised`.
    ///   - clean: [N, H, W, C]; a place all of whose channels are within `tolerance` of black is black.
    ///   - weights: [N, C].
    /// - Returns: [N, 1, 1, 1].
    public func losses(_ raw: Variable, _ x: Tensor, clean: Tensor, weights: Tensor, tolerance: Float = 1e-3)
        -> Variable
    {
        require(raw.tensor, x)
        requireShape(
            clean.shape == x.shape && weights.shape == skip.shape, "DenoiserHead.losses", clean.shape, weights.shape)
        let values = raw.tensor, channels = black.count, width = values.shape[values.rank - 1],
            pictures = values.shape[0]
        let places = values.shape.dropLast().reduce(1, *) / max(1, pictures)
        // The gradient is computed here, and the pullback only multiplies it by the incoming gradient of each picture.
        // Losses are first stored by place and then added in order.
        let gradient = Tensor(uninitialized: values.shape), sums = Tensor(uninitialized: [pictures, places])
        black.withUnsafeBufferPointer { black in
            nonisolated(unsafe) let black = black
            eachRun(values) { picture, start, length in
                let s = skip.pointer + picture * channels, o = out.pointer + picture * channels
                let w = weights.pointer + picture * channels, scale = 1 / Float(places * channels),
                    share = 1 / Float(places)
                for place in start..<start + length {
                    let f = values.pointer + place * width, g = gradient.pointer + place * width
                    let from = x.pointer + place * channels, y = clean.pointer + place * channels
                    let logit = f[channels] - offset, probability = 1 / (1 + expf(-logit))
                    var isBlack = true, sum: Float = 0
                    for c in 0..<channels where abs(y[c] - black[c]) > tolerance {
                        isBlack = false
                        break
                    }
                    let counts = isBlack ? scale * DenoiserHead.blackWeight : scale
                    for c in 0..<channels {
                        let error = s[c] * from[c] + o[c] * f[c] - y[c], weighted = w[c] * error
                        g[c] = 2 * counts * weighted * o[c]
                        sum += weighted * error
                    }
                    g[channels] = share * (probability - (isBlack ? 1 : 0))
                    for c in (channels + 1)..<width { g[c] = 0 }
                    // The cross-entropy uses ln(1 + e^-|z|), which neither overflows nor vanishes.
                    let entropy = max(0, isBlack ? -logit : logit) + log1pf(expf(-abs(logit)))
                    sums.pointer[place] = counts * sum + share * entropy
                }
            }
        }
        let totals = Tensor(shape: [pictures, 1, 1, 1]) { target in
            for picture in 0..<pictures {
                target[picture] = Float((0..<places).reduce(0.0) { $0 + Double(sums.pointer[picture * places + $1]) })
            }
        }
        return Tape.record([raw], totals) { grad in
            let result = Tensor(uninitialized: values.shape)
            eachRun(values) { picture, start, length in
                Kernels.table.scale_add(
                    length * width, grad.pointer[picture], gradient.pointer + start * width, 0,
                    result.pointer + start * width)
            }
            return [result]
        }
    }
}
