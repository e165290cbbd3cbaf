import CHDF5
import Files

/// The owner of the HDF5 library: every call into C runs on this actor.
///
/// Upstream builds of HDF5 are not thread-safe. (Debian's serial build happens to be, with one error stack per thread.)
/// Nothing else in Fovea calls the library.
@globalActor
public actor HDF5Actor {
    public static let shared = HDF5Actor()
}

/// Calls of the library as a whole.
@HDF5Actor
public enum HDF5Library {
    /// The version of the library that runs, such as `1.10.8`.
    public static var version: String {
        var major: UInt32 = 0, minor: UInt32 = 0, release: UInt32 = 0
        H5get_libversion(&major, &minor, &release)
        return "\(major).\(minor).\(release)"
    }

    /// Done once, before the first call. Filter plug-ins are never loaded, since a hostile file could name one.
    static let isStarted: Bool = {
        fovea_start()
        return H5PLset_loading_state(0) >= 0
    }()

    /// Calls the library without its own error messages, and turns a negative status into a `Failure`.
    ///
    /// - Parameters:
    ///   - place: the file, as the user named it.
    ///   - what: what was attempted, such as `/images could not be read`. The library's innermost reason is appended.
    /// - Throws: `Failure` of the given kind.
    @discardableResult
    static func call<Status: SignedInteger>(
        _ kind: Failure.Kind, _ place: String, _ what: @autoclosure () -> String, _ body: () -> Status
    ) throws -> Status {
        guard isStarted else { throw Failure(.readOrWriteFailed, place, "the HDF5 library did not start") }
        silence()
        let status = body()
        guard status < 0 else { return status }
        throw Failure(kind, place, "\(what()): \(ErrorStack.reason())")
    }

    /// Writes something in a file. A file in which a write failed is given up (`Handle`).
    /// - Throws: `Failure(.readOrWriteFailed)`.
    @discardableResult
    static func write<Status: SignedInteger>(
        in file: Handle, _ place: String, _ what: @autoclosure () -> String, _ body: () -> Status
    ) throws -> Status {
        do {
            return try call(.readOrWriteFailed, place, what(), body)
        } catch let failure as Failure {
            file.giveUp(failure.sentence)
            throw failure
        }
    }

    /// Switches off the library's printing of errors. The library keeps this setting for each thread, and an actor
    /// moves between threads.
    static func silence() {
        H5Eset_auto2(fovea_default_errors, nil, nil)
    }
}
