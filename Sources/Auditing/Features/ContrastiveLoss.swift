import Foundation
import TensorCore

/// The normalised temperature-scaled cross entropy, NT-Xent (Chen et al. 2020, equation 1), with its gradient.
///
/// Views 2k and 2k + 1 show one picture. For view i with its fellow j and unit vectors z, l(i) = -log(exp(z_i z_j /
/// t) / sum over k of exp(z_i z_k / t)). Here k runs over all views but i itself and those that `isExcluded` names,
/// since nobody knows whether these are alike or different. The loss is the mean over views.
package struct ContrastiveLoss {
    package let value: Double
    /// The gradient with respect to the features before they are brought to length 1, [views, width].
    package let gradient: Tensor

    /// - Parameters:
    ///   - features: [views, width], vectors of any length but 0.
    ///   - isExcluded: whether two views are not compared. It must be symmetric, and is not asked about a view and
    ///     itself or its fellow.
    package init(_ features: Tensor, temperature: Double, isExcluded: (Int, Int) -> Bool) {
        let views = features.shape[0], width = features.shape[1]
        let lengths = UnitVectors.lengths(features)
        let unit = Variable(UnitVectors.of(features))
        let similarities = unit.matmul(unit, transposed: true).tensor.elements
        // The gradient of the loss with respect to the similarities, [views, views].
        var weights = [Float](repeating: 0, count: views * views)
        var total = 0.0
        var row = [Double](repeating: 0, count: views)
        for i in 0..<views {
            let fellow = i ^ 1
            var highest = -Double.infinity
            for k in 0..<views {
                let counts = k == fellow || (k != i && !isExcluded(i, k))
                row[k] = counts ? Double(similarities[i * views + k]) / temperature : -.infinity
                highest = max(highest, row[k])
            }
            var sum = 0.0
            for k in 0..<views { sum += exp(row[k] - highest) }
            total += highest + log(sum) - row[fellow]
            let scale = 1 / (Double(views) * temperature)
            for k in 0..<views {
                let share = exp(row[k] - highest) / sum
                weights[i * views + k] = Float((share - (k == fellow ? 1 : 0)) * scale)
            }
        }
        value = total / Double(views)
        // similarities = z z^T, so that dz = (w + w^T) z. Since z = f / |f|, df is the part of dz across z, over |f|.
        let w = Variable(Tensor(weights, shape: [views, views]))
        let across = w.matmul(unit).tensor + w.matmul(unit, transposedSelf: true).tensor
        let z = unit.tensor.elements, dz = across.elements
        gradient = Tensor(shape: [views, width]) { target in
            for i in 0..<views {
                let at = i * width
                var along = 0.0
                for c in at..<at + width { along += Double(z[c]) * Double(dz[c]) }
                for c in at..<at + width { target[c] = Float((Double(dz[c]) - along * Double(z[c])) / lengths[i]) }
            }
        }
    }
}

/// Scales rows to length 1.
enum UnitVectors {
    static func lengths(_ rows: Tensor) -> [Double] {
        let width = rows.shape[1]
        return rows.withUnsafeBuffer { elements in
            (0..<rows.shape[0]).map { row in
                var sum = 0.0
                for c in 0..<width { sum += Double(elements[row * width + c]) * Double(elements[row * width + c]) }
                return max(1e-12, sum.squareRoot())
            }
        }
    }

    static func of(_ rows: Tensor) -> Tensor {
        let width = rows.shape[1], lengths = Self.lengths(rows)
        return rows.withUnsafeBuffer { elements in
            Tensor(shape: rows.shape) { target in
                for i in target.indices { target[i] = Float(Double(elements[i]) / lengths[i / width]) }
            }
        }
    }
}
