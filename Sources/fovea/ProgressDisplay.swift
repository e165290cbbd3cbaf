import Foundation
import Fovea

/// Shows the progress of long work on standard error: on a terminal a bar with the rate and the time left, otherwise a
/// line every 10 s. Only one task at a time may use it.
package final class ProgressDisplay {
    private let isQuiet: Bool
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var stage = ""
    /// When the stage began, and when its progress was last shown.
    private var started = ContinuousClock.now, shown = ContinuousClock.now
    /// How much was done when the stage was first shown: work that goes on begins in the middle.
    private var first = 0
    private var hasBar = false

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    func show(_ progress: JobProgress) {
        if isQuiet { return }
        let now = ContinuousClock.now
        if progress.stage != stage {
            end()
            (stage, started, shown, first) = (progress.stage, now, now, progress.done)
        }
        let pause: Duration = isTerminal ? .milliseconds(200) : .seconds(10)
        guard now - shown >= pause || (isTerminal && progress.done == progress.total) else { return }
        shown = now
        let line = ProgressDisplay.line(
            progress, seconds: (now - started) / .seconds(1), since: first, hasBar: isTerminal)
        hasBar = isTerminal
        Console.put(isTerminal ? "\r\u{1B}[2K" + line : line + "\n", on: .standardError)
    }

    /// Removes the bar, so that messages start on a clean line.
    func end() {
        if hasBar { Console.put("\r\u{1B}[2K", on: .standardError) }
        hasBar = false
    }

    /// The progress as a line such as `import [#####.....] 206/412 photographs, 14.2/s, 0:14 left`.
    /// - Parameters:
    ///   - seconds: since the stage was first shown.
    ///   - first: how much was done then.
    package static func line(
        _ progress: JobProgress, seconds: Double, since first: Int = 0, hasBar: Bool
    ) -> String {
        let (done, total) = (progress.done, progress.total)
        let rate = seconds > 0 ? Double(done - first) / seconds : 0
        var parts = "\(progress.stage) "
        if hasBar {
            let filled = total > 0 ? 24 * min(done, total) / total : 0
            parts += "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 24 - filled) + "] "
        }
        let isShare = progress.unit == "%"
        parts += isShare ? "\(done) %" : "\(done)/\(total) \(progress.unit)"
        parts += progress.detail.map { ", \($0)" } ?? ""
        guard rate > 0 else { return parts }
        let left = Int((Double(max(0, total - done)) / rate).rounded(.up))
        let (hours, minutes, rest) = (left / 3600, left / 60 % 60, left % 60)
        return parts + (isShare ? "" : String(format: rate < 10 ? ", %.2f/s" : ", %.0f/s", rate))
            + (hours > 0
                ? String(format: ", %d:%02d:%02d left", hours, minutes, rest)
                : String(format: ", %d:%02d left", minutes, rest))
    }
}
