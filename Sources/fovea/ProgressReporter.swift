import Foundation
import Synchronization

/// Shows how far long work is, on standard error: a bar with rate and time left on a terminal, otherwise a line every
/// 10 s.
final class ProgressReporter: Sendable {
    private struct State {
        var started: ContinuousClock.Instant
        var shown: ContinuousClock.Instant
        var hasBar = false
    }

    private let what: String
    private let unit: String
    private let isQuiet: Bool
    private let isTerminal: Bool
    private let state: Mutex<State>

    /// - Parameters:
    ///   - what: what is done, such as `import`.
    ///   - unit: what is counted, in the plural, such as `photographs`.
    init(_ what: String, unit: String, isQuiet: Bool) {
        self.what = what
        self.unit = unit
        self.isQuiet = isQuiet
        isTerminal = isatty(STDERR_FILENO) == 1
        let now = ContinuousClock.now
        state = Mutex(State(started: now, shown: now))
    }

    /// Counts time from now on: for work that does not begin at once.
    func start() {
        state.withLock { $0.started = ContinuousClock.now }
    }

    /// Reports that `done` of `total` are done; may be called from any thread, as often as wanted.
    func update(_ done: Int, of total: Int) {
        if isQuiet { return }
        state.withLock { state in
            let now = ContinuousClock.now
            let pause: Duration = isTerminal ? .milliseconds(200) : .seconds(10)
            guard now - state.shown >= pause || (isTerminal && done == total) else { return }
            state.shown = now
            let line = ProgressReporter.line(
                what, unit: unit, done: done, total: total, seconds: ProgressReporter.seconds(now - state.started),
                hasBar: isTerminal)
            state.hasBar = isTerminal
            Console.put(isTerminal ? "\r\u{1B}[2K" + line : line + "\n", on: .standardError)
        }
    }

    /// Removes the bar, so that messages start on a clean line.
    func end() {
        state.withLock { state in
            if state.hasBar { Console.put("\r\u{1B}[2K", on: .standardError) }
            state.hasBar = false
        }
    }

    /// Such as `import [#####.....] 206/412 photographs, 14.2/s, 0:14 left`.
    static func line(_ what: String, unit: String, done: Int, total: Int, seconds: Double, hasBar: Bool) -> String {
        let rate = seconds > 0 ? Double(done) / seconds : 0
        var parts = "\(what) "
        if hasBar {
            let filled = total > 0 ? 24 * min(done, total) / total : 0
            parts += "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 24 - filled) + "] "
        }
        parts += "\(done)/\(total) \(unit)"
        if rate > 0 {
            parts += String(format: rate < 10 ? ", %.2f/s" : ", %.0f/s", rate)
            let left = Int((Double(max(0, total - done)) / rate).rounded(.up))
            parts +=
                left >= 3600
                ? String(format: ", %d:%02d:%02d left", left / 3600, left / 60 % 60, left % 60)
                : String(format: ", %d:%02d left", left / 60, left % 60)
        }
        return parts
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}
