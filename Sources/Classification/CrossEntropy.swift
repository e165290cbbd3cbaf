import Foundation
import TensorCore

/// The weighted mean of -log(softmax(logits)[label]) over pictures, with its gradient.
struct CrossEntropy {
    let value: Double
    /// The gradient with respect to the logits, [N, classes].
    let gradient: Tensor

    /// - Parameters:
    ///   - logits: [N, classes].
    ///   - labels: N numbers of classes.
    ///   - weights: N weights of pictures. The sum is divided by N and not by the sum of the weights, so that a batch
    ///     with a rare class counts more.
    init(_ logits: Tensor, labels: [Int], weights: [Double]) {
        let classes = logits.shape[1], count = labels.count
        guard logits.shape[0] == count, weights.count == count, labels.allSatisfy((0..<classes).contains) else {
            fatalError("CrossEntropy: logits \(logits.shape), \(count) labels, \(weights.count) weights")
        }
        var sum = 0.0
        let probabilities = CrossEntropy.probabilities(logits)
        gradient = Tensor(shape: [count, classes]) { target in
            for (row, shares) in probabilities.enumerated() {
                let scale = weights[row] / Double(count)
                sum -= scale * log(max(shares[labels[row]], 1e-30))
                for (number, share) in shares.enumerated() {
                    target[row * classes + number] = Float(scale * (share - (number == labels[row] ? 1 : 0)))
                }
            }
        }
        value = sum
    }

    /// Softmax along the rows, in float64.
    static func probabilities(_ logits: Tensor) -> [[Double]] {
        let classes = logits.shape[1], elements = logits.elements
        return (0..<logits.shape[0]).map { row in
            let own = elements[row * classes..<(row + 1) * classes].map(Double.init), highest = own.max() ?? 0
            let powers = own.map { exp($0 - highest) }, total = powers.reduce(0, +)
            return powers.map { $0 / total }
        }
    }
}
