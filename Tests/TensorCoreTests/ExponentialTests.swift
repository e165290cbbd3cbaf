import Foundation
import TensorCore
import Testing

@Suite struct ExponentialTests {
    /// The polynomial against float64 over the range of normal results, in units in the last place.
    @Test func isWithinTwoUnitsInTheLastPlace() {
        let inputs = stride(from: -87.3, to: 88.7, by: 0.0013).map { Float($0) }
        let found = Variable(Tensor(inputs, shape: [inputs.count])).exponential().tensor.elements
        #expect(found.count == inputs.count)
        var worst = 0.0
        for (x, y) in zip(inputs, found) {
            let exact = exp(Double(x))
            let error = abs(Double(y) - exact) / Double(Float(exact).ulp)
            // Written so that a NaN counts as the worst.
            if !(error <= worst) { worst = error }
        }
        #expect(worst <= 2, "\(worst) ULP")
    }

    @Test func endsAndWhatIsNotFinite() {
        let found = Variable(Tensor([.nan, .infinity, -.infinity, 89, -88, 0], shape: [6])).exponential().tensor
            .elements
        #expect(found[0].isNaN)
        #expect(Array(found[1...]) == [.infinity, 0, .infinity, 0, 1])
    }
}
