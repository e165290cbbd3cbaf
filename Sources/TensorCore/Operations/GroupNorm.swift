import CKernels

extension Variable {
    /// Group normalisation (Wu and He 2018) over [N, ..., C], followed by SiLU where `silu` is true.
    ///
    /// - Parameters:
    ///   - scale, shift: [C].
    ///   - groups: must divide C.
    public func groupNorm(scale: Variable, shift: Variable, groups: Int, epsilon: Float, silu: Bool = false) -> Variable
    {
        let settings = GroupNormSettings(groups: groups, epsilon: epsilon, silu: silu)
        let forward = GroupNorm([tensor], settings, scale: scale.tensor, shift: shift.tensor)
        let output = forward.apply([tensor])
        return Tape.record([self, scale, shift], output) { grad in
            let gradients = forward.pullback([tensor], grad, overwriting: nil)
            return [isTracked ? gradients.inputs[0] : nil, gradients.scale, gradients.shift]
        }
    }
}

/// Settings of a group normalisation; SiLU follows it where `silu` is true.
public struct GroupNormSettings: Hashable, Sendable {
    public let groups: Int
    public let epsilon: Float
    public let silu: Bool

    public init(groups: Int, epsilon: Float, silu: Bool) {
        (self.groups, self.epsilon, self.silu) = (groups, epsilon, silu)
    }
}

/// Mean and inverse standard deviation of every group of every image, and the operations that use them.
///
/// The channels may lie in several tensors, as if they were concatenated along the last axis.
struct GroupNorm {
    private let settings: GroupNormSettings
    private let scale: Tensor, shift: Tensor
    private let images: Int, rows: Int, channels: Int
    private let parts: [Part]
    /// The rows of one image are cut into pieces, by shape alone.
    private let pieceRows: Int, pieces: Int
    /// [images * groups]
    private let mean: [Double], inverseDeviation: [Double]

    /// The channels `first ..< first + count`.
    private struct Part {
        let first: Int, count: Int
    }

    private var groups: Int { settings.groups }

    init(_ x: [Tensor], _ settings: GroupNormSettings, scale: Tensor, shift: Tensor) {
        let leading = Array(x[0].shape.dropLast())
        var parts: [Part] = [], channels = 0
        for tensor in x {
            requireShape(
                tensor.rank >= 2 && Array(tensor.shape.dropLast()) == leading, "groupNorm", tensor.shape, x[0].shape)
            parts.append(Part(first: channels, count: tensor.shape[tensor.rank - 1]))
            channels += tensor.shape[tensor.rank - 1]
        }
        let groups = settings.groups
        requireShape(groups > 0 && channels % groups == 0, "groupNorm", channels, "\(groups) groups")
        requireShape(scale.shape == [channels] && shift.shape == [channels], "groupNorm", scale.shape, channels)
        let images = leading[0], rows = leading.dropFirst().reduce(1, *)
        let pieceRows = max(64, 32768 / channels)
        let pieces = (rows + pieceRows - 1) / pieceRows
        // Moments are taken about the image's first row, so that a large mean does not cancel the deviation.
        let sums = GroupNorm.pieceSums(images * pieces, channels) { task, first, second in
            let start = task % pieces * pieceRows
            for (part, tensor) in zip(parts, x) {
                let image = tensor.pointer + task / pieces * rows * part.count
                Kernels.table.channel_moments(
                    min(pieceRows, rows - start), part.count, image + start * part.count, image, first + part.first,
                    second + part.first)
            }
        }
        var mean = [Double](repeating: 0, count: images * groups), inverse = mean
        let width = channels / groups
        let elements = Double(width * rows)
        // For one image, by channel: the mean, and the sum of squares about it.
        var channelMean = [Double](repeating: 0, count: channels), channelScatter = channelMean
        for image in 0..<images {
            for (part, tensor) in zip(parts, x) {
                let pivot = tensor.pointer + image * rows * part.count
                for c in 0..<part.count {
                    var sum = 0.0, squares = 0.0
                    for piece in 0..<pieces {
                        let base = (image * pieces + piece) * 2 * channels + part.first + c
                        sum += sums[base]
                        squares += sums[base + channels]
                    }
                    channelMean[part.first + c] = Double(pivot[c]) + sum / Double(rows)
                    channelScatter[part.first + c] = squares - sum * sum / Double(rows)
                }
            }
            for group in 0..<groups {
                var average = 0.0, scatter = 0.0
                for channel in group * width..<(group + 1) * width {
                    average += channelMean[channel]
                    scatter += channelScatter[channel]
                }
                average /= Double(width)
                for channel in group * width..<(group + 1) * width {
                    let difference = channelMean[channel] - average
                    scatter += Double(rows) * difference * difference
                }
                // max(0, nan) is 0, which would hide numbers that are not finite.
                let variance = scatter / elements
                mean[image * groups + group] = average
                inverse[image * groups + group] =
                    1 / ((variance < 0 ? 0 : variance) + Double(settings.epsilon)).squareRoot()
            }
        }
        (self.settings, self.scale, self.shift) = (settings, scale, shift)
        (self.images, self.rows, self.channels, self.parts) = (images, rows, channels, parts)
        (self.pieceRows, self.pieces, self.mean, inverseDeviation) = (pieceRows, pieces, mean, inverse)
    }

    /// Two sums for each channel and each of `tasks` pieces: [tasks, 2, channels].
    private static func pieceSums(
        _ tasks: Int, _ channels: Int, _ body: (Int, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>) -> Void
    ) -> Sums {
        let sums = Sums(tasks * 2 * channels)
        parallelFor(tasks) { task in
            let first = sums.pointer + task * 2 * channels
            body(task, first, first + channels)
        }
        return sums
    }

    private func forEachPiece(_ body: (_ image: Int, _ firstRow: Int, _ rows: Int) -> Void) {
        parallelFor(images * pieces) { task in
            let start = task % pieces * pieceRows
            body(task / pieces, task / pieces * rows + start, min(pieceRows, rows - start))
        }
    }

    /// One value for each channel of every image: its group's value, multiplied by the channel's scale where
    /// `isScaled`.
    private struct PerChannel {
        let ofGroup: [Double]
        var isScaled = false
    }

    /// Calls `body` with per-channel values of every image, [images * channels] each.
    private func withPerChannel(_ values: [PerChannel], _ body: ([UnsafePointer<Float>]) -> Void) {
        let all = Tensor(uninitialized: [values.count, images * channels])
        let width = channels / groups
        for (index, value) in values.enumerated() {
            var target = all.pointer + index * images * channels
            for image in 0..<images {
                for channel in 0..<channels {
                    let factor = value.isScaled ? Double(scale.pointer[channel]) : 1
                    target[channel] = Float(value.ofGroup[image * groups + channel / width] * factor)
                }
                target += channels
            }
        }
        withExtendedLifetime(all) {
            body(values.indices.map { UnsafePointer(all.pointer + $0 * images * channels) })
        }
    }

    /// Normalises x to [N, ..., C], with its tensors side by side.
    func apply(_ x: [Tensor]) -> Tensor {
        let output = Tensor(uninitialized: x[0].shape.dropLast() + [channels])
        withPerChannel([PerChannel(ofGroup: mean), PerChannel(ofGroup: inverseDeviation, isScaled: true)]) { values in
            forEachPiece { image, firstRow, count in
                for (part, tensor) in zip(parts, x) {
                    let channel = image * channels + part.first
                    Kernels.table.normalize(
                        count, part.count, tensor.pointer + firstRow * part.count, values[0] + channel,
                        values[1] + channel,
                        shift.pointer + part.first, settings.silu ? 1 : 0,
                        output.pointer + firstRow * channels + part.first,
                        channels)
                }
            }
        }
        return output
    }

    /// - Parameters:
    ///   - grad: [N, ..., C].
    ///   - overwriting: `grad` itself where nobody else needs it any more, so that it may be overwritten; nil
    ///     otherwise.
    func pullback(_ x: [Tensor], _ grad: Tensor, overwriting: Tensor?) -> (
        inputs: [Tensor], scale: Tensor, shift: Tensor
    ) {
        let dz = overwriting ?? Tensor(uninitialized: grad.shape)
        var sums = Sums(0)
        withPerChannel([PerChannel(ofGroup: mean), PerChannel(ofGroup: inverseDeviation)]) { values in
            sums = GroupNorm.pieceSums(images * pieces, channels) { task, sum, sumHat in
                let image = task / pieces, start = task % pieces * pieceRows
                let firstRow = image * rows + start
                for (part, tensor) in zip(parts, x) {
                    let channel = image * channels + part.first, at = firstRow * channels + part.first
                    Kernels.table.normalize_gradient_sums(
                        min(pieceRows, rows - start), part.count, tensor.pointer + firstRow * part.count,
                        values[0] + channel,
                        values[1] + channel, scale.pointer + part.first, shift.pointer + part.first,
                        settings.silu ? 1 : 0,
                        grad.pointer + at, dz.pointer + at, channels, sum + part.first, sumHat + part.first)
                }
            }
        }
        // Sums by image and channel, adding the pieces in order: sum dz and sum dz * xhat.
        var sumDz = [Double](repeating: 0, count: images * channels), sumDzHat = sumDz
        for image in 0..<images {
            for piece in 0..<pieces {
                let base = (image * pieces + piece) * 2 * channels
                for c in 0..<channels {
                    sumDz[image * channels + c] += sums[base + c]
                    sumDzHat[image * channels + c] += sums[base + channels + c]
                }
            }
        }
        let width = channels / groups
        let elements = Double(width * rows)
        // Group sums of gamma * dz and gamma * dz * xhat.
        var groupDz = [Double](repeating: 0, count: images * groups), groupDzHat = groupDz
        for i in 0..<images * channels {
            let group = i / channels * groups + i % channels / width
            let gamma = Double(scale.pointer[i % channels])
            groupDz[group] += gamma * sumDz[i]
            groupDzHat[group] += gamma * sumDzHat[i]
        }
        // dx = r gamma dz - r / m (sum gamma dz + xhat sum gamma dz xhat), xhat = r (x - mean).
        let inputs = x.map { Tensor(uninitialized: $0.shape) }
        withPerChannel([
            PerChannel(ofGroup: mean), PerChannel(ofGroup: inverseDeviation, isScaled: true),
            PerChannel(ofGroup: zip(inverseDeviation, groupDzHat).map { -$0 * $0 * $1 / elements }),
            PerChannel(ofGroup: zip(inverseDeviation, groupDz).map { -$0 * $1 / elements }),
        ]) { values in
            forEachPiece { image, firstRow, count in
                for (index, part) in parts.enumerated() {
                    let channel = image * channels + part.first, at = firstRow * part.count
                    Kernels.table.normalize_gradient_apply(
                        count, part.count, x[index].pointer + at, dz.pointer + firstRow * channels + part.first,
                        channels,
                        values[0] + channel, values[1] + channel, values[2] + channel, values[3] + channel,
                        inputs[index].pointer + at)
                }
            }
        }
        func overImages(_ sums: [Double]) -> Tensor {
            Tensor(shape: [channels]) { target in
                for c in 0..<channels { target[c] = Float((0..<images).reduce(0.0) { $0 + sums[$1 * channels + c] }) }
            }
        }
        return (inputs, overImages(sumDzHat), overImages(sumDz))
    }
}
