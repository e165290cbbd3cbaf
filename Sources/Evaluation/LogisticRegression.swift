import Foundation

/// A line that separates two groups: logistic regression with a penalty on the weights, and none on the intercept. It
/// minimises |w|^2 / 2 + strength * sum of log(1 + exp(-y (w x + b))), as scikit-learn's `LogisticRegression` does with
/// `C` for `strength`.
struct LogisticRegression {
    private let weights: [Double], intercept: Double

    /// The logarithm of the odds that a row belongs to the group.
    func score(_ rows: FeatureRows, _ row: Int) -> Double {
        dot(rows.elements, row * rows.width, weights, 0, rows.width) + intercept
    }

    /// Newton's method. Each step is found by conjugate gradients, which need the second derivatives' products alone
    /// (Lin, Weng and Keerthi, "Trust region Newton method for logistic regression", 2008, without the region: the step
    /// is halved where the loss would not fall).
    init(_ rows: FeatureRows, isPositive: [Bool], strength: Double) {
        let problem = Problem(rows: rows, signs: isPositive.map { $0 ? 1 : -1 }, strength: strength)
        var place = [Double](repeating: 0, count: rows.width + 1)
        for _ in 0..<50 {
            let (gradient, curvatures) = problem.derivatives(place)
            let size = norm(gradient)
            if size < 1e-9 * Double(rows.count) { break }
            let step = problem.newtonStep(gradient, curvatures, tolerance: 1e-6 * size)
            let loss = problem.loss(place), slope = dot(gradient, 0, step, 0, step.count)
            var length = 1.0
            while length > 1e-10, problem.loss(sum(place, length, step)) > loss + 1e-4 * length * slope { length /= 2 }
            // The loss is at its least, as far as it can be told.
            if length <= 1e-10 { break }
            place = sum(place, length, step)
        }
        (weights, intercept) = (Array(place.dropLast()), place[rows.width])
    }
}

/// The loss of a logistic regression and its derivatives, by the weights and the intercept, which stands last.
private struct Problem {
    let rows: FeatureRows
    /// 1 or -1 for each row.
    let signs: [Double]
    let strength: Double

    /// w x + b of each row.
    private func values(_ place: [Double]) -> [Double] {
        (0..<rows.count).map { dot(rows.elements, $0 * rows.width, place, 0, rows.width) + place[rows.width] }
    }

    func loss(_ place: [Double]) -> Double {
        let penalty = dot(place, 0, place, 0, rows.width) / 2
        return zip(values(place), signs).reduce(penalty) { sum, pair in
            let margin = pair.0 * pair.1
            return sum + strength * (max(0, -margin) + log1p(exp(-abs(margin))))
        }
    }

    /// The gradient, and for each row the second derivative of its loss.
    func derivatives(_ place: [Double]) -> (gradient: [Double], curvatures: [Double]) {
        var slopes: [Double] = [], curvatures: [Double] = []
        for (value, sign) in zip(values(place), signs) {
            let probability = 1 / (1 + exp(-value * sign))
            slopes.append(strength * sign * (probability - 1))
            curvatures.append(strength * probability * (1 - probability))
        }
        return (gathered(slopes, penalty: place), curvatures)
    }

    /// The sum of the rows by these factors, plus the weights of `penalty`.
    private func gathered(_ factors: [Double], penalty: [Double]) -> [Double] {
        var result = penalty
        result[rows.width] = 0
        for row in 0..<rows.count {
            for i in 0..<rows.width { result[i] += factors[row] * rows.elements[row * rows.width + i] }
            result[rows.width] += factors[row]
        }
        return result
    }

    /// Solves H step = -gradient by conjugate gradients (Hestenes and Stiefel 1952).
    func newtonStep(_ gradient: [Double], _ curvatures: [Double], tolerance: Double) -> [Double] {
        var step = [Double](repeating: 0, count: gradient.count), residual = gradient.map(-), direction = residual
        var squares = dot(residual, 0, residual, 0, residual.count)
        for _ in 0..<2 * gradient.count where squares.squareRoot() > tolerance {
            let product = gathered(zip(values(direction), curvatures).map(*), penalty: direction)
            let length = squares / dot(direction, 0, product, 0, product.count)
            step = sum(step, length, direction)
            residual = sum(residual, -length, product)
            let next = dot(residual, 0, residual, 0, residual.count)
            direction = sum(residual, next / squares, direction)
            squares = next
        }
        return step
    }
}

private func norm(_ a: [Double]) -> Double { dot(a, 0, a, 0, a.count).squareRoot() }

/// a + factor * b
private func sum(_ a: [Double], _ factor: Double, _ b: [Double]) -> [Double] {
    a.indices.map { a[$0] + factor * b[$0] }
}
