/// A failure that comes from outside the program: a file, an argument, another site's weights, the disk.
///
/// Its description is one sentence that names the file (and line or field), what was expected and what was found,
/// so that a person can mend it. `kind` fixes the exit code of the command line.
public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it is; the raw value is the process's exit code (after BSD's sysexits.h).
    public enum Kind: Int32, Sendable {
        /// A check ran and said no.
        case checkFailed = 1
        case usage = 64
        case badData = 65
        case noSuchInput = 66
        case cannotCreateOutput = 73
        case readOrWriteFailed = 74
        /// Stopped before the end; what is finished is kept.
        case interrupted = 75
        case notPermitted = 77
    }

    public let kind: Kind
    /// The file concerned, as the user named it, with ` line N` appended where there is one.
    public let place: String?
    /// The sentence without the place.
    public let sentence: String

    public init(_ kind: Kind, _ place: String? = nil, _ sentence: String) {
        self.kind = kind
        self.place = place
        self.sentence = sentence
    }

    /// `field` holds `found` where `expected` was needed.
    public init(
        _ kind: Kind = .badData, _ place: String?, field: String, expected: String, found: String
    ) {
        self.init(kind, place, "\(field): expected \(expected), found \(found)")
    }

    public var description: String {
        guard let place else { return sentence }
        return "\(place): \(sentence)"
    }
}
