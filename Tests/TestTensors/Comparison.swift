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

/// The largest |found - expected|; infinite where they are not as many, and where one is NaN.
public func largestDifference(_ found: [Float], _ expected: [Float]) -> Float {
    guard found.count == expected.count else { return .infinity }
    return zip(found, expected).reduce(0) { largest, pair in
        let difference = abs(pair.0 - pair.1)
        return difference <= largest ? largest : difference.isNaN ? .infinity : difference
    }
}

/// As many tensors, of the same shapes and the same numbers, and at least one.
public func expectSame(
    _ found: [Tensor], _ expected: [Tensor], _ what: String = "tensors",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(!expected.isEmpty, "\(what)", sourceLocation: sourceLocation)
    guard found.map(\.shape) == expected.map(\.shape) else {
        Issue.record(
            "\(what): shapes \(found.map(\.shape)), expected \(expected.map(\.shape))", sourceLocation: sourceLocation)
        return
    }
    for (number, (a, b)) in zip(found, expected).enumerated() {
        let isSame = a.elements == b.elements
        #expect(isSame, "\(what) \(number)", sourceLocation: sourceLocation)
    }
}
