import Auditing
import Foundation
import Randomness
import TensorCore
import Testing

@Suite struct ContrastiveLossTests {
    private let views = 6, width = 5, temperature = 0.3
    /// Views 0 and 3 show one patient, and so do 1 and 5.
    private let shared: Set<[Int]> = [[0, 3], [3, 0], [1, 5], [5, 1]]

    private var features: [Double] {
        var random = Philox(seed: 2, stream: .tests, index: 1)
        return (0..<views * width).map { _ in Double(Float(random.nextNormal())) }
    }

    /// Chen et al. 2020, equation 1, as it stands: cosines, exponentials, quotients.
    private func expected(_ features: [Double], excluded: Set<[Int]>) -> Double {
        func cosine(_ i: Int, _ j: Int) -> Double {
            var dot = 0.0, a = 0.0, b = 0.0
            for c in 0..<width {
                let x = features[i * width + c], y = features[j * width + c]
                (dot, a, b) = (dot + x * y, a + x * x, b + y * y)
            }
            return dot / (a * b).squareRoot()
        }
        var total = 0.0
        for i in 0..<views {
            let fellow = i % 2 == 0 ? i + 1 : i - 1
            var sum = 0.0
            for k in 0..<views where k != i && !excluded.contains([i, k]) { sum += exp(cosine(i, k) / temperature) }
            total -= log(exp(cosine(i, fellow) / temperature) / sum)
        }
        return total / Double(views)
    }

    private func loss(_ features: [Double], excluded: Set<[Int]>) -> ContrastiveLoss {
        ContrastiveLoss(Tensor(features.map { Float($0) }, shape: [views, width]), temperature: temperature) {
            excluded.contains([$0, $1])
        }
    }

    @Test(arguments: [false, true]) func `the value is equation 1 and the gradient its slope`(_ masks: Bool) {
        let excluded = masks ? shared : []
        let found = loss(features, excluded: excluded), gradient = found.gradient.elements
        #expect(abs(found.value - expected(features, excluded: excluded)) <= 1e-6)
        #expect(gradient.count == views * width)
        for i in features.indices {
            var above = features, below = features
            above[i] += 1e-5
            below[i] -= 1e-5
            let slope = (expected(above, excluded: excluded) - expected(below, excluded: excluded)) / 2e-5
            #expect(abs(Double(gradient[i]) - slope) <= 2e-6)
        }
    }

    @Test func `views of one patient leave each other out`() {
        #expect(abs(loss(features, excluded: shared).value - loss(features, excluded: []).value) > 1e-2)
    }

    @Test func `low temperatures overflow nothing`() {
        let same = [Float](repeating: 3, count: views * width)
        let found = ContrastiveLoss(Tensor(same, shape: [views, width]), temperature: 1e-3) { _, _ in false }
        #expect(abs(found.value - log(Double(views - 1))) <= 1e-5)
        #expect(found.gradient.isFinite)
    }
}
