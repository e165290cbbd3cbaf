import TensorCore

/// Mean and covariance of features; the covariance divides by count - 1.
struct Moments {
    let mean: [Double]
    /// The rows less their mean, divided by the root of count - 1: their products make the covariance. [count, width]
    let centred: [Double]
    let count: Int, width: Int

    init(_ rows: FeatureRows) {
        let (count, width) = (rows.count, rows.width)
        var mean = [Double](repeating: 0, count: width), centred = rows.elements
        for row in 0..<count {
            for i in 0..<width { mean[i] += rows.elements[row * width + i] / Double(count) }
        }
        let scale = 1 / Double(count - 1).squareRoot()
        for row in 0..<count {
            for i in 0..<width { centred[row * width + i] = scale * (centred[row * width + i] - mean[i]) }
        }
        (self.mean, self.centred, self.count, self.width) = (mean, centred, count, width)
    }

    /// The sum of the variances.
    var trace: Double { centred.reduce(0) { $0 + $1 * $1 } }

    /// The trace of (C1 C2)^(1/2). C1 is A^T A and C2 is B^T B for the centred rows A and B, so that the roots of the
    /// eigenvalues of C1 C2 are the singular values of A B^T.
    static func traceOfRoot(_ one: Moments, _ other: Moments) -> Double {
        let (width, isWide) = (one.width, min(one.count, other.count) < one.width)
        if isWide {
            // Fewer rows than features: the small matrix is A B^T (A B^T)^T.
            let (few, many) = one.count < other.count ? (one, other) : (other, one)
            let products = product(few.centred, many.centred, few.count, width, many.count)
            return rootSum(product(products, products, few.count, many.count, few.count), size: few.count)
        }
        // R C2 R for the symmetric root R of C1, which is symmetric, too.
        let root = root(of: one.covariance, size: width)
        let half = product(root, other.covariance, width, width, width)
        return rootSum(product(half, root, width, width, width), size: width)
    }

    private var covariance: [Double] {
        let columns = (0..<width * count).map { centred[$0 % count * width + $0 / count] }
        return Moments.product(columns, columns, width, count, width)
    }

    /// The sum of the roots of the eigenvalues of a symmetric matrix; those below 0 are rounding.
    private static func rootSum(_ matrix: [Double], size: Int) -> Double {
        let symmetric = (0..<size * size).map { (matrix[$0] + matrix[$0 % size * size + $0 / size]) / 2 }
        return symmetricEigen(symmetric, size: size).values.reduce(0) { $0 + max(0, $1).squareRoot() }
    }

    /// The symmetric root of a symmetric matrix without negative eigenvalues.
    private static func root(of matrix: [Double], size: Int) -> [Double] {
        let (values, vectors) = symmetricEigen(matrix, size: size)
        let scaled = vectors.indices.map { vectors[$0] * max(0, values[$0 / size]).squareRoot().squareRoot() }
        let columns = (0..<size * size).map { scaled[$0 % size * size + $0 / size] }
        return product(columns, columns, size, size, size)
    }

    /// A B^T for A of [rows, inner] and B of [columns, inner].
    private static func product(_ a: [Double], _ b: [Double], _ rows: Int, _ inner: Int, _ columns: Int) -> [Double] {
        var result = [Double](repeating: 0, count: rows * columns)
        for i in 0..<rows {
            for j in 0..<columns { result[i * columns + j] = dot(a, i * inner, b, j * inner, inner) }
        }
        return result
    }
}

/// The sum of products of `count` elements of `a` from `start` on with those of `b` from `other` on, in eight partial
/// sums, as one sum would wait for each product.
func dot(_ a: [Double], _ start: Int, _ b: [Double], _ other: Int, _ count: Int) -> Double {
    a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
            var sums = SIMD8<Double>(), rest = 0.0
            let whole = count / 8 * 8
            for i in stride(from: 0, to: whole, by: 8) {
                let x = UnsafeRawPointer(a.baseAddress.unsafelyUnwrapped + start + i).loadUnaligned(
                    as: SIMD8<Double>.self)
                let y = UnsafeRawPointer(b.baseAddress.unsafelyUnwrapped + other + i).loadUnaligned(
                    as: SIMD8<Double>.self)
                sums += x * y
            }
            for i in whole..<count { rest += a[start + i] * b[other + i] }
            return sums.sum() + rest
        }
    }
}
