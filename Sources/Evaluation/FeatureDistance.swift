import TensorCore

/// How far apart the distributions of two sets of pictures lie in some features. Both distances depend on the features
/// and, with few pictures, on their number. So each stands beside the distance of two halves of the photographs.
package enum FeatureDistance {
    /// The squared maximum mean discrepancy under the kernel (x y / width + 1)^3, without bias (Binkowski et al. 2018,
    /// "Demystifying MMD GANs", section 3; equation 3 of Gretton et al. 2012): the mean over the pairs of each set less
    /// twice the mean over pairs of both. About 0 for equal distributions, and then it may be below 0.
    /// - Parameters:
    ///   - one, other: at least two rows each.
    package static func kernel(_ one: FeatureRows, _ other: FeatureRows) -> Double {
        requireAlike(one, other)
        let within = mean(one, one, isSame: true) + mean(other, other, isSame: true)
        return within - 2 * mean(one, other, isSame: false)
    }

    /// The mean of the kernel over pairs; a row and itself are no pair.
    private static func mean(_ one: FeatureRows, _ other: FeatureRows, isSame: Bool) -> Double {
        let sums = one.map { row in
            var sum = 0.0
            for column in 0..<other.count where !(isSame && row == column) {
                let base = one.product(row, with: other, column) / Double(one.width) + 1
                sum += base * base * base
            }
            return sum
        }
        return sums.reduce(0, +) / (Double(one.count) * Double(isSame ? other.count - 1 : other.count))
    }

    /// The squared Fréchet distance of two Gaussians with the means and covariances of the sets (Dowson and Landau
    /// 1982, equation 4): |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).
    /// - Parameters:
    ///   - one, other: at least two rows each.
    package static func frechet(_ one: FeatureRows, _ other: FeatureRows) -> Double {
        requireAlike(one, other)
        let width = one.width
        let (first, second) = (Moments(one), Moments(other))
        // C1 C2 has the eigenvalues of R C2 R for the symmetric root R of C1, which is symmetric, too.
        let root = Moments.root(of: first.covariance, size: width)
        let middle = Moments.product(Moments.product(root, second.covariance, size: width), root, size: width)
        let symmetric = (0..<width * width).map { (middle[$0] + middle[$0 % width * width + $0 / width]) / 2 }
        let roots = symmetricEigen(symmetric, size: width).values.map { max(0, $0).squareRoot() }
        let difference = zip(first.mean, second.mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return difference + first.trace + second.trace - 2 * roots.reduce(0, +)
    }

    private static func requireAlike(_ one: FeatureRows, _ other: FeatureRows) {
        guard one.width == other.width, one.count > 1, other.count > 1 else {
            fatalError("FeatureDistance: [\(one.count), \(one.width)] and [\(other.count), \(other.width)]")
        }
    }
}

/// Mean and covariance of features; the covariance divides by count - 1.
private struct Moments {
    let mean: [Double]
    /// [width, width]
    let covariance: [Double]
    private let width: Int

    var trace: Double { (0..<width).reduce(0) { $0 + covariance[$1 * width + $1] } }

    init(_ rows: FeatureRows) {
        let width = rows.width, count = Double(rows.count)
        var mean = [Double](repeating: 0, count: width), covariance = [Double](repeating: 0, count: width * width)
        for row in 0..<rows.count {
            for i in 0..<width { mean[i] += rows.elements[row * width + i] / count }
        }
        for row in 0..<rows.count {
            for i in 0..<width {
                let own = (rows.elements[row * width + i] - mean[i]) / (count - 1)
                for j in 0..<width { covariance[i * width + j] += own * (rows.elements[row * width + j] - mean[j]) }
            }
        }
        (self.mean, self.covariance, self.width) = (mean, covariance, width)
    }

    /// The symmetric root of a symmetric matrix without negative eigenvalues.
    static func root(of matrix: [Double], size: Int) -> [Double] {
        let (values, vectors) = symmetricEigen(matrix, size: size)
        var root = [Double](repeating: 0, count: size * size)
        for (k, value) in values.enumerated() {
            let length = max(0, value).squareRoot()
            for i in 0..<size {
                let own = length * vectors[k * size + i]
                for j in 0..<size { root[i * size + j] += own * vectors[k * size + j] }
            }
        }
        return root
    }

    static func product(_ a: [Double], _ b: [Double], size: Int) -> [Double] {
        var result = [Double](repeating: 0, count: size * size)
        for i in 0..<size {
            for k in 0..<size {
                let own = a[i * size + k]
                for j in 0..<size { result[i * size + j] += own * b[k * size + j] }
            }
        }
        return result
    }
}
