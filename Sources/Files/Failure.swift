/// A failure that comes from outside the program: a file, an argument, another site's weights, the disk.
///
/// Its description is one sentence that names the file (and line or field), what was expected and what was found, so
/// that a person can mend the cause. `kind` fixes the exit code of the command line.
///
/// Files hold patients' data, and errors end up in logs and tickets. So every failure shows at most a short excerpt of
/// what it found (`String.excerpt`), whoever makes it.
public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it is; the raw value is the process's exit code (after BSD's sysexits.h).
    public enum Kind: Int32, Sendable {
        /// A check ran, and its result was negative.
        case checkFailed = 1
        case usage = 64
        case badData = 65
        case noSuchInput = 66
        case cannotCreateOutput = 73
        case readOrWriteFailed = 74
        /// The work stopped before its end; what is finished is kept.
        case interrupted = 75
        case notPermitted = 77
    }

    /// What the user could do about a failure. Each front end says in its own words how to do it.
    public enum Remedy: Sendable, Equatable {
        /// Replace the output, which exists already.
        case replace
        /// Go on with the unfinished work.
        case resume
        /// Go on with the unfinished work, or end it with this many pictures.
        case resumeOrEnd(Int)
        /// Go on with the run that is in the folder, or replace it.
        case resumeOrReplace
        /// Go on with the unfinished work, or discard it.
        case resumeOrDiscard
        /// Discard the unfinished work.
        case discard
        /// Draw the cohorts although the model never saw them.
        case drawUnseen
        /// Merge without the parcels that are refused.
        case excludeRefused
        /// Close the round although sites are missing.
        case closeEarly
        /// Close the round although sites are missing, and without the parcels that are refused.
        case closeEarlyWithoutRefused
        /// Say that the new parcel replaces the earlier one.
        case replaceParcel
        /// Mark the site as withdrawn without a new model.
        case markOnly
        /// Give a passing audit, or go without an audit and say why.
        case auditOrReason
        /// Repeat the audit with the model, so that it also asks the model who was in its training.
        case auditModel
        /// Have the privacy officer sign the audit.
        case signAudit
        /// Give a list of trust that names the signer.
        case trust
        /// Say that each photograph shows another patient.
        case onePatientPerPhoto
        /// Take pictures that a model made, too.
        case allowSynthetic
        /// Give photographs of patients that the model never saw.
        case holdout
        /// Train with canaries.
        case canaries
        /// Name the classes when the model is imported.
        case classes
        /// Give the size of the pictures.
        case size
        /// Show fewer pictures.
        case showFewer
        /// Sample without guidance.
        case noGuidance
        /// State the licence of a data set that is there.
        case stateLicence(dataset: String)
        /// Exchange the values of two settings, such as `map` and `labels`.
        case exchange(String, String)
    }

    public let kind: Kind
    /// The file concerned, as the user named it, with ` line N` appended if the line is known.
    public let place: String?
    /// The name of the wrong setting of a job, such as `shardSize`; nil if the failure is about something else.
    public let option: String?
    /// The description without the place and the option.
    public let sentence: String
    public let remedy: Remedy?

    /// A failure about `place`, described by a sentence.
    public init(_ kind: Kind, _ place: String?, _ sentence: String, remedy: Remedy? = nil) {
        self.init(kind, place, option: nil, sentence, remedy: remedy)
    }

    /// A failure because `field` holds `found` where `expected` was needed.
    public init(
        _ kind: Kind, _ place: String?, field: String, expected: String, found: String,
        remedy: Remedy? = nil
    ) {
        self.init(kind, place, "\(field): expected \(expected), found \(found.excerpt)", remedy: remedy)
    }

    /// A failure because the setting `option` of a job is wrong.
    public init(_ kind: Kind, _ place: String? = nil, option: String?, _ problem: String, remedy: Remedy? = nil) {
        self.kind = kind
        self.place = place
        self.option = option
        sentence = problem.withShortQuotations
        self.remedy = remedy
    }

    /// A failure because the setting `option` of a job is `found` where `expected` was needed.
    public init(
        _ kind: Kind, _ place: String? = nil, option: String, expected: String, found: String, remedy: Remedy? = nil
    ) {
        self.init(kind, place, option: option, "expected \(expected), found \(found.excerpt)", remedy: remedy)
    }

    /// One line: the place, the option and the sentence.
    public var description: String { [place, option, sentence].compactMap { $0 }.joined(separator: ": ") }
}
