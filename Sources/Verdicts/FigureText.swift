import Figures
import Statistics

// Figures as the page states them.

extension Estimate {
    /// The value with its interval, such as `0.5 (0.4 to 0.6)`.
    package var text: String { "\(rounded(value)) (\(rounded(low)) to \(rounded(high)))" }
}

extension MembershipResult.Area {
    /// The area with its interval, such as `0.5 (0.4 to 0.6)`.
    package var text: String { Estimate(value: value, low: interval.low, high: interval.high).text }
}

extension Rate {
    /// The hits and the count, such as `3 of 20`.
    package var text: String { "\(hits) of \(count)" }
}
