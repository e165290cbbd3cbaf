import CKernels

extension Variable {
    /// Scaled dot-product attention of several heads (Vaswani et al. 2017, equation 1).
    ///
    /// self holds the queries, [N, T, heads * d]; keys and values have the same shape. The scores are computed for a
    /// few queries at a time, so that they stay in the cache. They are not kept: the pullback computes them again.
    public func attention(keys: Variable, values: Variable, heads: Int) -> Variable {
        requireShape(
            shape.count == 3 && shape == keys.shape && shape == values.shape && shape[2] % heads == 0, "attention",
            shape,
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

    /// The number of queries that are computed together, a multiple of the tile rows of every product kernel.
    private static let block = 48

    private func forEachHead(_ body: (_ offset: Int) -> Void) {
        parallelFor(images * heads) { task in body(task / heads * tokens * width + task % heads * depth) }
    }

    private func forEachBlock(_ body: (_ first: Int, _ count: Int) -> Void) {
        for first in stride(from: 0, to: tokens, by: Attention.block) {
            body(first, min(Attention.block, tokens - first))
        }
    }

    /// One head's columns of [T, width], in panels: [depth / 16][T][16].
    private func pack(_ a: UnsafePointer<Float>, rows: Int, into panels: UnsafeMutablePointer<Float>) {
        Kernels.table.pack(rows, depth, a, width, panels)
    }

    /// The transpose of one head's columns, in panels: [T / 16][depth][16].
    private func packTransposed(_ a: UnsafePointer<Float>, into panels: UnsafeMutablePointer<Float>) {
        Kernels.table.pack_transposed(tokens, depth, a, width, panels)
    }

    func forward(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ output: Tensor) {
        forEachHead { offset in
            var scratch = Scratch(
                floats: floatsOfPanels(depth, tokens) + floatsOfPanels(tokens, depth) + Attention.block * tokens)
            let keys = scratch.take(floatsOfPanels(depth, tokens)), values = scratch.take(floatsOfPanels(tokens, depth))
            let p = scratch.take(Attention.block * tokens)
            packTransposed(k.pointer + offset, into: keys)
            pack(v.pointer + offset, rows: tokens, into: values)
            forEachBlock { first, count in
                let at = offset + first * width
                product(
                    rows: count, k: depth, columns: tokens, q.pointer + at, rowStep: width, keys, into: p,
                    rowStep: tokens)
                Kernels.table.softmax(count, tokens, scale, p, p)
                product(
                    rows: count, k: tokens, columns: depth, p, rowStep: tokens, values, into: output.pointer + at,
                    rowStep: width)
            }
        }
    }

    func pullback(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, _ grad: Tensor, _ gradQ: Tensor, _ gradK: Tensor, _ gradV: Tensor
    ) {
        let block = Attention.block
        let transposed = floatsOfPanels(depth, tokens), straight = floatsOfPanels(tokens, depth)
        let scores = floatsOfPanels(block, tokens), part = floatsOfPanels(block, depth)
        let paddedTokens = (tokens + 15) / 16 * 16, paddedDepth = (depth + 15) / 16 * 16
        forEachHead { offset in
            var scratch = Scratch(
                floats: 2 * transposed + straight + 3 * scores + part + 2 * paddedTokens * paddedDepth)
            let keysTransposed = scratch.take(transposed), valuesTransposed = scratch.take(transposed)
            let keys = scratch.take(straight)
            let p = scratch.take(scores), s = scratch.take(scores), packed = scratch.take(scores),
                rows = scratch.take(part)
            let sumK = scratch.take(paddedTokens * paddedDepth), sumV = scratch.take(paddedTokens * paddedDepth)
            packTransposed(k.pointer + offset, into: keysTransposed)
            packTransposed(v.pointer + offset, into: valuesTransposed)
            pack(k.pointer + offset, rows: tokens, into: keys)
            forEachBlock { first, count in
                let at = offset + first * width
                let queries = q.pointer + at, g = grad.pointer + at
                /// sum += a^T b, with a [count, tokens] and b the block's rows of one head.
                func accumulate(
                    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ sum: UnsafeMutablePointer<Float>
                ) {
                    Kernels.table.pack(count, tokens, a, tokens, packed)
                    pack(b, rows: count, into: rows)
                    Kernels.table.product_adjoint(
                        count, paddedTokens, paddedDepth, packed, rows, first == 0 ? 0 : 1, sum)
                }
                product(
                    rows: count, k: depth, columns: tokens, queries, rowStep: width, keysTransposed, into: p,
                    rowStep: tokens)
                Kernels.table.softmax(count, tokens, scale, p, p)
                accumulate(p, g, sumV)
                product(
                    rows: count, k: depth, columns: tokens, g, rowStep: width, valuesTransposed, into: s,
                    rowStep: tokens)
                Kernels.table.softmax_gradient(count, tokens, scale, p, s, s)
                product(
                    rows: count, k: tokens, columns: depth, s, rowStep: tokens, keys, into: gradQ.pointer + at,
                    rowStep: width)
                accumulate(s, queries, sumK)
            }
            unpack(sumK, paddedTokens, into: gradK.pointer + offset)
            unpack(sumV, paddedTokens, into: gradV.pointer + offset)
        }
    }

    /// Copies panels [depth / 16][panelRows][16] back to one head's columns of [T, width].
    private func unpack(_ panels: UnsafePointer<Float>, _ panelRows: Int, into target: UnsafeMutablePointer<Float>) {
        for first in stride(from: 0, to: depth, by: 16) {
            for row in 0..<tokens {
                (target + row * width + first).update(
                    from: panels + first * panelRows + row * 16, count: min(16, depth - first))
            }
        }
    }
}
