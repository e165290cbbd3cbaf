import Randomness
import TensorCore
import Testing

/// ||found - expected|| / ||expected||, l2, in float64; ||found|| where expected is zero; infinite where they are not
/// as many.
public func relativeDifference(_ found: [Double], _ expected: [Double]) -> Double {
    guard found.count == expected.count else { return .infinity }
    var difference = 0.0, size = 0.0
    for (a, b) in zip(found, expected) {
        difference += (a - b) * (a - b)
        size += b * b
    }
    return size == 0 ? difference.squareRoot() : (difference / size).squareRoot()
}

/// Compares shape, then elements. What is not finite on one side must be the same on the other; a NaN that is not
/// expected fails, because `difference <= tolerance` is then false.
public func expectClose(
    _ found: Tensor, _ expected: Fixture.Stored, within tolerance: Double, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard found.shape == expected.shape else {
        Issue.record("\(what): shape \(found.shape), expected \(expected.shape)", sourceLocation: sourceLocation)
        return
    }
    let difference = relativeDifference(found.elements.map(Double.init), expected.values)
    #expect(difference <= tolerance, "\(what)", sourceLocation: sourceLocation)
}

/// Standard normal numbers, the same for the same seed.
public func randomTensor(_ shape: [Int], seed: UInt64, scale: Float = 1) -> Tensor {
    var random = Philox(seed: seed, stream: .tests, index: 0)
    return Tensor(shape: shape) { buffer in
        random.fillNormal(buffer)
        for i in buffer.indices { buffer[i] *= scale }
    }
}
