import Foundation
import Synchronization

/// Turns Ctrl-C (and TERM, HUP, USR1) into the cancellation of the job that runs.
///
/// Another signal, a second later or more, ends the process at once, as if there were no handler. Programs that pass
/// signals on (such as `timeout`) send one to the process and one to its group, so two that come together are one
/// request.
enum Signals {
    /// When the first signal came, in nanoseconds of the monotonic clock; 0 before it.
    private static let requestedAt = Atomic<Int64>(0)
    private static let action = Mutex<(@Sendable () -> Void)?>(nil)
    /// Raised by the handler, which may do little else.
    nonisolated(unsafe) private static var semaphore = sem_t()

    /// Installs the handlers. Called once, before anything else.
    static func install() {
        requestedAt.store(0, ordering: .relaxed)  // also initialises what the handler uses outside of it
        sem_init(&semaphore, 0, 0)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGUSR1] {
            signal(number) { number in
                // Only what is safe in a handler: atomics, clock_gettime, sem_post, signal, raise.
                let now = Signals.monotonicNanoseconds()
                let (isFirst, before) = Signals.requestedAt.compareExchange(
                    expected: 0, desired: now, ordering: .relaxed)
                if isFirst {
                    sem_post(&Signals.semaphore)
                } else if now - before >= 1_000_000_000 {
                    signal(number, SIG_DFL)
                    raise(number)
                }
            }
        }
        Thread.detachNewThread {
            while sem_wait(&Signals.semaphore) != 0 {}
            Signals.action.withLock { $0?() }
        }
    }

    /// Sets what the first signal does; does it at once where the signal has come already.
    static func cancel(_ action: @escaping @Sendable () -> Void) {
        Signals.action.withLock { $0 = action }
        if requestedAt.load(ordering: .relaxed) != 0 { action() }
    }

    private static func monotonicNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
