import Foundation
import Synchronization

/// Turns Ctrl-C (and TERM, HUP, USR1) into the cancellation of the job that runs. A signal that was ignored when the
/// process began stays ignored: `nohup` ignores HUP, and a shell without job control ignores INT for what it runs in
/// the background.
///
/// A further signal that comes at least a second later ends the process at once, as if there were no handler. Programs
/// that pass signals on (such as `timeout`) send one signal to the process and one to its group. For this reason, two
/// signals that come together count as one request.
enum Signals {
    /// When the first signal came, in nanoseconds of the monotonic clock; 0 before the first signal.
    private static let requestedAt = Atomic<Int64>(0)
    private static let action = Mutex<(@Sendable () -> Void)?>(nil)
    /// The semaphore that the handler posts. A handler may do little else.
    nonisolated(unsafe) private static var semaphore = sem_t()

    /// Installs the handlers. Called once, before anything else.
    static func install() {
        requestedAt.store(0, ordering: .relaxed)  // also initialises the static properties before the handler uses them
        sem_init(&semaphore, 0, 0)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGUSR1] where !isIgnored(number) {
            signal(number) { number in
                // The handler calls only what is safe in a handler: atomics, clock_gettime, sem_post, signal, raise.
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

    private static func isIgnored(_ number: Int32) -> Bool {
        var found = sigaction()
        sigaction(number, nil, &found)
        // SIG_IGN is the address 1.
        return unsafeBitCast(found.__sigaction_handler, to: Int.self) == 1
    }

    /// Sets what the first signal does. If that signal has come already, `action` is called at once.
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
