/// A number with the interval that it lies in at 95 %.
package struct Estimate: Codable, Hashable, Sendable {
    package let value: Double
    package let low: Double
    package let high: Double

    package init(value: Double, low: Double, high: Double) {
        self.value = value
        self.low = low
        self.high = high
    }
}
