import CKernels

extension Variable {
    /// Scaled dot-product attention of several heads (Vaswani et al. 2017, equation 1).
    ///
    /// self holds the queries, [N, T, heads * d]; keys and values have the same shape. The probabilities are not kept:
    /// the pullback makes them again, an image and head at a time.
    public func attention(keys: Variable, values: Variable, heads: Int) -> Variable {
        requireShape(
            shape.count == 3 && shape == keys.shape && shape == values.shape && shape[2] % heads == 0, "attention", shape,
            keys.shape)
        let geometry = Attention(images: shape[0], tokens: shape[1], width: shape[2], heads: heads)
        let output = Tensor(uninitialized: shape)
        geometry.forward(tensor, keys.tensor, values.tensor, output)
        return Tape.record([self, keys, values], output) { grad in
            let gradients = (0..<3).map { _ in Tensor(uninitialized: grad.shape) }
            geometry.pullback(tensor, keys.tensor, values.tensor, grad, gradients[0], gradients[1], gradients[2])
            return gradients
        }
    }
}

private struct Attention {
    let images: Int, tokens: Int, width: Int, heads: Int
    var depth: Int { width / heads }
    var scale: Float { 1 / Float(depth).squareRoot() }

    /// p = softmax(scale q k^T) of one image and head, [tokens, tokens].
    private func probabilities(_ q: Tensor, _ k: Tensor, offset: Int, into p: UnsafeMutablePointer<Float>) {
        fovea_sgemm(0, 1, tokens, tokens, depth, 1, q.pointer + offset, width, k.pointer + offset, width, 0, p, tokens)
        Kernels.table.softmax(tokens, tokens, scale, p, p)
    }

    private func forEachHead(_ body: (_ offset: Int) -> Void) {
        parallelFor(images * heads) { task in body(task / heads * tokens * width + task % heads * depth) }
    }

    func forward(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ output: Tensor) {
        forEachHead { offset in
            let p = fovea_thread_scratch(0, tokens * tokens).unsafelyUnwrapped
            probabilities(q, k, offset: offset, into: p)
            fovea_sgemm(
                0, 0, tokens, depth, tokens, 1, p, tokens, v.pointer + offset, width, 0, output.pointer + offset, width)
        }
    }

    func pullback(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, _ grad: Tensor, _ gradQ: Tensor, _ gradK: Tensor, _ gradV: Tensor
    ) {
        forEachHead { offset in
            let p = fovea_thread_scratch(0, tokens * tokens).unsafelyUnwrapped
            let s = fovea_thread_scratch(1, tokens * tokens).unsafelyUnwrapped
            probabilities(q, k, offset: offset, into: p)
            let g = grad.pointer + offset
            fovea_sgemm(1, 0, tokens, depth, tokens, 1, p, tokens, g, width, 0, gradV.pointer + offset, width)
            fovea_sgemm(0, 1, tokens, tokens, depth, 1, g, width, v.pointer + offset, width, 0, s, tokens)
            Kernels.table.softmax_gradient(tokens, tokens, scale, p, s, s)
            fovea_sgemm(
                0, 0, tokens, depth, tokens, 1, s, tokens, k.pointer + offset, width, 0, gradQ.pointer + offset, width)
            fovea_sgemm(
                1, 0, tokens, depth, tokens, 1, s, tokens, q.pointer + offset, width, 0, gradK.pointer + offset, width)
        }
    }
}
