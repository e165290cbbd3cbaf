import Foundation

/// The inverse of the standard normal distribution function, by bisection on erfc (exact to float64 rounding).
package func normalQuantile(_ probability: Double) -> Double {
    var low = -10.0, high = 10.0
    for _ in 0..<64 {
        let middle = (low + high) / 2
        if 0.5 * erfc(-middle / 2.0.squareRoot()) < probability { low = middle } else { high = middle }
    }
    return (low + high) / 2
}
