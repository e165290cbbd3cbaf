import Foundation

/// Runs `body` without the rights of root, which may write everywhere: on a thread of its own, as the user 65534, where
/// the tests run as root, and as it is otherwise.
///
/// - Returns: false where root could not become somebody else, which is printed; `body` was not run then.
public func withoutRights(_ body: @escaping @Sendable () -> Void) -> Bool {
    guard getuid() == 0 else {
        body()
        return true
    }
    // The library's setresuid changes every thread; the system's own changes the one that calls.
    guard let symbol = dlsym(nil, "syscall") else { return refuse("there is no system call by number") }
    typealias Call = @convention(c) (Int, Int, Int, Int) -> Int
    let call = unsafeBitCast(symbol, to: Call.self)
    let isDone = DispatchSemaphore(value: 0), outcome = Outcome()
    let thread = Thread {
        #if arch(x86_64)
            let number = 117
        #else
            let number = 147  // the table that arm64 and riscv64 share
        #endif
        outcome.isOther = call(number, 65534, 65534, 65534) == 0 && getuid() == 65534
        if outcome.isOther { body() }
        isDone.signal()
    }
    thread.start()
    isDone.wait()
    return outcome.isOther || refuse("the system did not let root become another user")
}

private func refuse(_ reason: String) -> Bool {
    print("skipped what needs a user without rights: \(reason)")
    return false
}

/// Written by one thread, read by another once a semaphore was signalled.
private final class Outcome: @unchecked Sendable {
    var isOther = false
}
