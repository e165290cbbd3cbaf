import Foundation
import Synchronization

/// A polite request to stop: Ctrl-C or SIGTERM sets a flag, and long work polls it between two units of work.
///
/// The first signal sets the flag; another one, a second later or more, ends the process at once, as if there were no
/// handler. Programs that pass signals on (such as `timeout`) send one to the process and one to its group, so two that
/// come together are one request.
public enum Interruption {
    private static let flag = Atomic<Bool>(false)
    /// When the first signal came, in nanoseconds of the monotonic clock.
    private static let requestedAt = Atomic<Int64>(0)

    /// Installs the handlers. Called once by the command line; a library that is used elsewhere never sees a request.
    public static func install() {
        flag.store(false, ordering: .relaxed)  // also initialises what the handler uses outside of it
        requestedAt.store(0, ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                // Only what is safe in a handler: atomics, clock_gettime, signal, raise.
                let now = Interruption.monotonicNanoseconds()
                guard Interruption.flag.load(ordering: .relaxed) else {
                    Interruption.requestedAt.store(now, ordering: .relaxed)
                    Interruption.flag.store(true, ordering: .relaxed)
                    return
                }
                guard now - Interruption.requestedAt.load(ordering: .relaxed) >= 1_000_000_000 else { return }
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }

    private static func monotonicNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Whether the user asked to stop.
    public static var isRequested: Bool { flag.load(ordering: .relaxed) }

    /// Throws where the user asked to stop.
    /// - Parameter advice: what is kept and how to go on, such as `the checkpoint is written; go on with --resume`.
    public static func check(_ advice: @autoclosure () -> String) throws {
        if isRequested { throw Failure(.interrupted, nil, "interrupted: \(advice())") }
    }
}
