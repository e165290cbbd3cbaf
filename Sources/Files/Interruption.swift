import Foundation
import Synchronization

/// A polite request to stop: Ctrl-C or SIGTERM sets a flag, and long work polls it between two units of work.
///
/// The first signal sets the flag; a second one ends the process at once, as if there were no handler.
public enum Interruption {
    private static let flag = Atomic<Bool>(false)

    /// Installs the handlers. Called once by the command line; a library that is used elsewhere never sees a request.
    public static func install() {
        flag.store(false, ordering: .relaxed)  // also initialises the flag outside the handler
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Interruption.flag.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }

    /// Whether the user asked to stop.
    public static var isRequested: Bool { flag.load(ordering: .relaxed) }

    /// Throws where the user asked to stop.
    /// - Parameter advice: what is kept and how to go on, such as `the checkpoint is written; go on with --resume`.
    public static func check(_ advice: @autoclosure () -> String) throws {
        if isRequested { throw Failure(.interrupted, nil, "interrupted: \(advice())") }
    }
}
