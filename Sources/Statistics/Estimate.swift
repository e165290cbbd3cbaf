/// A number with its 95 % interval.
package struct Estimate: Codable, Hashable, Sendable {
    package let value: Double
    package let low: Double
    package let high: Double

    package init(value: Double, low: Double, high: Double) {
        self.value = value
        self.low = low
        self.high = high
    }

    package init(value: Double, _ interval: (low: Double, high: Double)) {
        self.init(value: value, low: interval.low, high: interval.high)
    }
}
