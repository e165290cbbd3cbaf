import Foundation

/// The time that a piece of work took in several runs, after a first run that is not counted.
public struct Timing: Codable, Sendable {
    /// Milliseconds, as `minimum`.
    public let median: Double
    public let minimum: Double
    public let repeats: Int

    /// - Parameter repeats: at least 1.
    public static func of(repeats: Int, _ body: () -> Void) -> Timing {
        body()
        let clock = ContinuousClock()
        let times = (0..<max(1, repeats)).map { _ in clock.measure(body) / .milliseconds(1) }.sorted()
        return Timing(median: times[times.count / 2], minimum: times[0], repeats: times.count)
    }
}
