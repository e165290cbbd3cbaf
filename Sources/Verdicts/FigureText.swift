import Figures
import Statistics

// Figures as the page states them.

extension Estimate {
    /// `0.5 (0.4 to 0.6)`: the value with its interval.
    package var text: String { "\(rounded(value)) (\(rounded(low)) to \(rounded(high)))" }
}

extension MembershipResult.Area {
    /// `0.5 (0.4 to 0.6)`: the area with its interval.
    package var text: String { Estimate(value: value, low: interval.low, high: interval.high).text }
}

extension Rate {
    /// `3 of 20`.
    package var text: String { "\(hits) of \(count)" }
}
