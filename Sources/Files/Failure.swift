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

    /// What would help, as an operand: a front end says how its users do it.
    public enum Remedy: Sendable, Equatable {
        /// The output exists: replace it.
        case replace
        /// Go on with what is unfinished.
        case resume
        /// Go on with what is unfinished, or end with so many.
        case resumeOrEnd(Int)
        /// Go on with the run that is there, or replace it.
        case resumeOrReplace
        /// Go on with what is unfinished, or discard it.
        case resumeOrDiscard
        /// Discard what is unfinished.
        case discard
        /// Draw cohorts that the model never saw.
        case drawUnseen
        /// Merge without the parcels that are refused.
        case excludeRefused
        /// Close the round though sites are missing.
        case closeEarly
        /// Give a passing audit, or go without one and say why.
        case auditOrReason
        /// Audit with the model, which asks it who was in its training.
        case auditModel
        /// Have the privacy officer sign the audit.
        case signAudit
        /// Say whose signatures count.
        case trust
        /// Say that each photograph is of another patient.
        case onePatientPerPhoto
        /// Give photographs of patients that the model never saw.
        case holdout
        /// Train with canaries.
        case canaries
        /// Name the classes when the model is imported.
        case classes
        /// Give the pictures' size.
        case size
        /// Show fewer pictures.
        case showFewer
        /// Ask without guidance.
        case noGuidance
    }

    public let kind: Kind
    /// The file concerned, as the user named it, with ` line N` appended where there is one.
    public let place: String?
    /// The setting of a job that is wrong, such as `shardSize`; nil where the failure is about something else.
    public let option: String?
    /// The sentence without the place and the option.
    public let sentence: String
    public let remedy: Remedy?

    public init(_ kind: Kind, _ place: String?, _ sentence: String, remedy: Remedy? = nil) {
        self.init(kind, place, option: nil, sentence, remedy: remedy)
    }

    /// `field` holds `found` where `expected` was needed.
    public init(
        _ kind: Kind, _ place: String?, field: String, expected: String, found: String,
        remedy: Remedy? = nil
    ) {
        self.init(kind, place, "\(field): expected \(expected), found \(found)", remedy: remedy)
    }

    /// The setting `option` of a job is wrong.
    public init(_ kind: Kind, _ place: String? = nil, option: String?, _ problem: String, remedy: Remedy? = nil) {
        self.kind = kind
        self.place = place
        self.option = option
        sentence = problem
        self.remedy = remedy
    }

    /// The setting `option` of a job is `found` where `expected` was needed.
    public init(
        _ kind: Kind, _ place: String? = nil, option: String, expected: String, found: String, remedy: Remedy? = nil
    ) {
        self.init(kind, place, option: option, "expected \(expected), found \(found)", remedy: remedy)
    }

    public var description: String { [place, option, sentence].compactMap { $0 }.joined(separator: ": ") }
}
