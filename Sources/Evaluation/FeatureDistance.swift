import Foundation

/// How far apart the distributions of two sets of pictures lie in some features. Both distances depend on the features
/// and, with few pictures, on their number. So each stands beside the distance of two halves of the photographs.
package enum FeatureDistance {
    /// See `KernelDistance`.
    /// - Parameters:
    ///   - one, other: at least two rows each.
    package static func kernel(_ one: FeatureRows, _ other: FeatureRows) -> Double {
        requireAlike(one, other)
        return KernelDistance(one, other).value
    }

    /// The squared Fréchet distance of two Gaussians with the means and covariances of the sets (Dowson and Landau
    /// 1982, equation 4): |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).
    /// - Parameters:
    ///   - one, other: at least two rows each.
    package static func frechet(_ one: FeatureRows, _ other: FeatureRows) -> Double {
        requireAlike(one, other)
        let first = Moments(one), second = Moments(other)
        let difference = zip(first.mean, second.mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return difference + first.trace + second.trace - 2 * Moments.traceOfRoot(first, second)
    }

    /// The Fréchet radiomic distance (Konz, Osuala et al., Medical Image Analysis 2026, equation 3), as frd-score 1.0.1
    /// calculates it: each feature less its mean and divided by its deviation in `photographs`; features that are
    /// constant there are left out; the logarithm of the squared Fréchet distance. (The paper takes the logarithm of
    /// the distance, which is half of it.)
    /// - Parameters:
    ///   - photographs, other: at least two rows each.
    /// - Returns: nil where no feature is left, or the distance is 0.
    package static func radiomic(photographs: FeatureRows, _ other: FeatureRows) -> Double? {
        requireAlike(photographs, other)
        let scale = Standardisation(photographs, constants: .leftOut)
        guard scale.width > 0 else { return nil }
        let squared = frechet(scale.applied(to: photographs), scale.applied(to: other))
        return squared > 0 ? log(squared) : nil
    }

    private static func requireAlike(_ one: FeatureRows, _ other: FeatureRows) {
        guard one.width == other.width, one.count > 1, other.count > 1 else {
            fatalError("FeatureDistance: [\(one.count), \(one.width)] and [\(other.count), \(other.width)]")
        }
    }
}
