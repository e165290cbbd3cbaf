import CKernels

extension Variable {
    /// Nearest upsampling by two: [N, H, W, C] -> [N, 2H, 2W, C].
    public func upsampledNearest() -> Variable {
        requireShape(shape.count == 4, "upsampledNearest", shape, "4 axes")
        return Tape.record([self], upsampled(tensor)) { grad in [sumOfQuads(grad, scale: 1)] }
    }

    /// Average pooling over 2x2: [N, 2H, 2W, C] -> [N, H, W, C].
    public func averagePooled() -> Variable {
        requireShape(shape.count == 4 && shape[1] % 2 == 0 && shape[2] % 2 == 0, "averagePooled", shape, "even sides")
        return Tape.record([self], sumOfQuads(tensor, scale: 0.25)) { grad in
            [upsampled(grad.scaled(by: 0.25))]
        }
    }
}

/// [N, H, W, C] -> [N, 2H, 2W, C]; each pixel is repeated four times.
func upsampled(_ a: Tensor) -> Tensor {
    let (n, h, w, c) = (a.shape[0], a.shape[1], a.shape[2], a.shape[3])
    let output = Tensor(uninitialized: [n, 2 * h, 2 * w, c])
    parallelFor(n * h) { row in
        let source = a.pointer + row * w * c
        let target = output.pointer + row * 4 * w * c
        for x in 0..<w {
            (target + 2 * x * c).update(from: source + x * c, count: c)
            (target + (2 * x + 1) * c).update(from: source + x * c, count: c)
        }
        (target + 2 * w * c).update(from: target, count: 2 * w * c)
    }
    return output
}

/// The sums of 2x2 neighbours, multiplied by `scale`.
func sumOfQuads(_ a: Tensor, scale: Float) -> Tensor {
    let (n, h, w, c) = (a.shape[0], a.shape[1] / 2, a.shape[2] / 2, a.shape[3])
    let result = Tensor(uninitialized: [n, h, w, c])
    parallelFor(n * h) { row in
        let upper = a.pointer + row * 4 * w * c
        let lower = upper + 2 * w * c
        let target = result.pointer + row * w * c
        for x in 0..<w {
            let cell = target + x * c
            cell.update(from: upper + 2 * x * c, count: c)
            Kernels.table.add_into(c, upper + (2 * x + 1) * c, cell)
            Kernels.table.add_into(c, lower + 2 * x * c, cell)
            Kernels.table.add_into(c, lower + (2 * x + 1) * c, cell)
        }
        if scale != 1 { Kernels.table.scale_add(w * c, scale, target, 0, target) }
    }
    return result
}
