import CKernels

extension Variable {
    /// Group normalisation (Wu and He 2018) over [N, ..., C], with SiLU behind it where `silu` is true.
    ///
    /// - Parameters:
    ///   - scale, shift: [C].
    ///   - groups: divides C.
    public func groupNorm(scale: Variable, shift: Variable, groups: Int, epsilon: Float, silu: Bool = false) -> Variable {
        let forward = GroupNorm(tensor, groups: groups, epsilon: epsilon)
        requireShape(scale.shape == [forward.channels] && shift.shape == scale.shape, "groupNorm", shape, scale.shape)
        let output = forward.apply(tensor, scale: scale.tensor, shift: shift.tensor, silu: silu)
        return Tape.record([self, scale, shift], output) { grad in
            let gradients = forward.pullback(tensor, scale: scale.tensor, shift: shift.tensor, silu: silu, grad: grad)
            return [isTracked ? gradients.input : nil, gradients.scale, gradients.shift]
        }
    }
}

/// Mean and inverse deviation of every group of every image, and what is computed from them.
private struct GroupNorm {
    let images: Int, rows: Int, channels: Int, groups: Int
    /// Rows of one image are cut into pieces, by shape.
    let pieceRows: Int, pieces: Int
    /// [images * groups]
    let mean: [Double], inverseDeviation: [Double]

    init(_ x: Tensor, groups: Int, epsilon: Float) {
        let channels = x.shape.last ?? 1
        let images = x.shape.first ?? 1
        requireShape(x.rank >= 2 && groups > 0 && channels % groups == 0, "groupNorm", x.shape, "\(groups) groups")
        let rows = x.count / max(1, images * channels)
        let pieceRows = max(64, 32768 / channels)
        let pieces = (rows + pieceRows - 1) / pieceRows
        // Moments about the image's first row, so that a large mean does not cancel the deviation.
        let sums = GroupNorm.pieceSums(images * pieces, channels) { task, first, second in
            let start = task % pieces * pieceRows
            let image = x.pointer + task / pieces * rows * channels
            Kernels.table.channel_moments(
                min(pieceRows, rows - start), channels, image + start * channels, image, first, second)
        }
        var mean = [Double](), inverse = [Double]()
        let width = channels / groups
        let elements = Double(width * rows)
        for image in 0..<images {
            let pivot = x.pointer + image * rows * channels
            for group in 0..<groups {
                var channelMeans = [Double](), scatter = 0.0
                for channel in group * width..<(group + 1) * width {
                    var sum = 0.0, squares = 0.0
                    for piece in 0..<pieces {
                        let base = (image * pieces + piece) * 2 * channels + channel
                        sum += sums[base]
                        squares += sums[base + channels]
                    }
                    channelMeans.append(Double(pivot[channel]) + sum / Double(rows))
                    scatter += squares - sum * sum / Double(rows)
                }
                let average = channelMeans.reduce(0, +) / Double(width)
                scatter += channelMeans.reduce(0) { $0 + Double(rows) * ($1 - average) * ($1 - average) }
                // max(0, nan) would hide what is not finite.
                let variance = scatter / elements
                mean.append(average)
                inverse.append(1 / ((variance < 0 ? 0 : variance) + Double(epsilon)).squareRoot())
            }
        }
        (self.images, self.rows, self.channels, self.groups) = (images, rows, channels, groups)
        (self.pieceRows, self.pieces, self.mean, inverseDeviation) = (pieceRows, pieces, mean, inverse)
    }

    /// Two sums a channel for each of `tasks` pieces: [tasks, 2, channels].
    private static func pieceSums(
        _ tasks: Int, _ channels: Int, _ body: (Int, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>) -> Void
    ) -> [Double] {
        var sums = [Double](repeating: 0, count: tasks * 2 * channels)
        sums.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let base = buffer.baseAddress.unsafelyUnwrapped
            parallelFor(tasks) { task in
                let first = base + task * 2 * channels
                body(task, first, first + channels)
            }
        }
        return sums
    }

    private func forEachPiece(_ body: (_ image: Int, _ rows: Int, _ offset: Int, _ task: Int) -> Void) {
        parallelFor(images * pieces) { task in
            let start = task % pieces * pieceRows
            body(task / pieces, min(pieceRows, rows - start), (task / pieces * rows + start) * channels, task)
        }
    }

    /// One value a channel of every image: [images * channels].
    private func perChannel(_ value: (_ image: Int, _ group: Int, _ channel: Int) -> Double) -> [Float] {
        let width = channels / groups
        return (0..<images * channels).map { i in
            Float(value(i / channels, i / channels * groups + i % channels / width, i % channels))
        }
    }

    /// Calls `body` with per-channel values of every image, [images * channels] each.
    private func withPerChannel(
        _ values: [(_ image: Int, _ group: Int, _ channel: Int) -> Double],
        _ body: ([UnsafePointer<Float>]) -> Void
    ) {
        let all = Tensor(values.flatMap(perChannel), shape: [values.count, images * channels])
        withExtendedLifetime(all) {
            body(values.indices.map { UnsafePointer(all.pointer + $0 * images * channels) })
        }
    }

    func apply(_ x: Tensor, scale: Tensor, shift: Tensor, silu: Bool) -> Tensor {
        let output = Tensor(uninitialized: x.shape)
        withPerChannel([
            { _, group, _ in mean[group] },
            { _, group, channel in Double(scale.pointer[channel]) * inverseDeviation[group] },
        ]) { values in
            forEachPiece { image, rows, start, _ in
                Kernels.table.normalize(
                    rows, channels, x.pointer + start, values[0] + image * channels, values[1] + image * channels,
                    shift.pointer, silu ? 1 : 0, output.pointer + start)
            }
        }
        return output
    }

    func pullback(
        _ x: Tensor, scale: Tensor, shift: Tensor, silu: Bool, grad: Tensor
    ) -> (input: Tensor, scale: Tensor, shift: Tensor) {
        let gradInput = Tensor(uninitialized: x.shape)
        var sums: [Double] = []
        withPerChannel([{ _, group, _ in mean[group] }, { _, group, _ in inverseDeviation[group] }]) { values in
            sums = GroupNorm.pieceSums(images * pieces, channels) { task, dz, dzHat in
                let image = task / pieces
                let first = task % pieces * pieceRows
                let start = (image * rows + first) * channels
                Kernels.table.normalize_gradient_sums(
                    min(pieceRows, rows - first), channels, x.pointer + start, values[0] + image * channels,
                    values[1] + image * channels, scale.pointer, shift.pointer, silu ? 1 : 0, grad.pointer + start,
                    gradInput.pointer + start, dz, dzHat)
            }
        }
        // By image and channel, pieces in order: sum dz, sum dz * xhat.
        var dz = [Double](repeating: 0, count: images * channels), dzHat = dz
        for image in 0..<images {
            for piece in 0..<pieces {
                let base = (image * pieces + piece) * 2 * channels
                for c in 0..<channels {
                    dz[image * channels + c] += sums[base + c]
                    dzHat[image * channels + c] += sums[base + channels + c]
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
            groupDz[group] += gamma * dz[i]
            groupDzHat[group] += gamma * dzHat[i]
        }
        // dx = r gamma dz - r / m (sum gamma dz + xhat sum gamma dz xhat), xhat = r (x - mean).
        withPerChannel([
            { _, group, _ in mean[group] },
            { _, group, channel in inverseDeviation[group] * Double(scale.pointer[channel]) },
            { _, group, _ in -inverseDeviation[group] * inverseDeviation[group] * groupDzHat[group] / elements },
            { _, group, _ in -inverseDeviation[group] * groupDz[group] / elements },
        ]) { values in
            forEachPiece { image, rows, start, _ in
                let i = image * channels
                Kernels.table.normalize_gradient_apply(
                    rows, channels, x.pointer + start, gradInput.pointer + start, values[0] + i, values[1] + i,
                    values[2] + i, values[3] + i, gradInput.pointer + start)
            }
        }
        let gradScale = Tensor(shape: [channels]) { target in
            for c in 0..<channels { target[c] = Float((0..<images).reduce(0.0) { $0 + dzHat[$1 * channels + c] }) }
        }
        let gradShift = Tensor(shape: [channels]) { target in
            for c in 0..<channels { target[c] = Float((0..<images).reduce(0.0) { $0 + dz[$1 * channels + c] }) }
        }
        return (gradInput, gradScale, gradShift)
    }
}
