import Foundation

extension Variable {
    /// The denoised picture of a network that also says where the picture is black: D = A + S (black - A), with
    /// A = skip x + out F and S = 1 / (1 + e^(offset - g)).
    ///
    /// The surround of a fundus photograph is black without noise. The expected picture given a noisy one is then a mixture of
    /// black and of what the network thinks, and S is the probability of black.
    ///
    /// - Parameters:
    ///   - self: what the network gives, [N, H, W, C + 1 or more]: F, then g; channels behind g are not used.
    ///   - x: the noisy picture, [N, H, W, C].
    ///   - skip, out: c_skip and c_out, [N, C].
    ///   - black: the channels of a black block, [C].
    ///   - offset: what g must exceed before S passes one half.
    /// - Returns: [N, H, W, C].
    public func denoised(_ x: Tensor, skip: Tensor, out: Tensor, black: [Float], offset: Float) -> Variable {
        let channels = x.shape.last ?? 0, width = shape.last ?? 0, pictures = shape.first ?? 0
        requireShape(
            shape.dropLast() == x.shape.dropLast() && width > channels && skip.shape == [pictures, channels]
                && out.shape == skip.shape && black.count == channels, "DenoiserHead", [shape, skip.shape, [black.count]], x.shape)
        let places = shape.dropLast().reduce(1, *), placesEach = places / max(1, pictures)
        let raw = tensor
        // A, and S for each place, are kept for the pullback.
        let straight = Tensor(uninitialized: x.shape), share = Tensor(uninitialized: [places]), result = Tensor(uninitialized: x.shape)
        black.withUnsafeBufferPointer { black in
            nonisolated(unsafe) let black = black
            parallelRuns(places, grain: max(1, 16384 / channels)) { start, length in
                for place in start..<start + length {
                    let f = raw.pointer + place * width, picture = place / placesEach
                    let (s, o) = (skip.pointer + picture * channels, out.pointer + picture * channels)
                    let probability = 1 / (1 + expf(offset - f[channels]))
                    share.pointer[place] = probability
                    let from = x.pointer + place * channels
                    let (a, d) = (straight.pointer + place * channels, result.pointer + place * channels)
                    for c in 0..<channels {
                        a[c] = s[c] * from[c] + o[c] * f[c]
                        d[c] = a[c] + probability * (black[c] - a[c])
                    }
                }
            }
        }
        return Tape.record([self], result) { grad in
            let gradInput = Tensor(uninitialized: raw.shape)
            black.withUnsafeBufferPointer { black in
                nonisolated(unsafe) let black = black
                parallelRuns(places, grain: max(1, 16384 / channels)) { start, length in
                    for place in start..<start + length {
                        let g = grad.pointer + place * channels, a = straight.pointer + place * channels
                        let o = out.pointer + place / placesEach * channels, target = gradInput.pointer + place * width
                        let probability = share.pointer[place]
                        var towardsBlack: Float = 0
                        for c in 0..<channels {
                            target[c] = g[c] * (1 - probability) * o[c]
                            towardsBlack += g[c] * (black[c] - a[c])
                        }
                        target[channels] = towardsBlack * probability * (1 - probability)
                        for c in (channels + 1)..<width { target[c] = 0 }
                    }
                }
            }
            return [gradInput]
        }
    }
}
