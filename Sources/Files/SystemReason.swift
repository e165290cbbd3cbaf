import Foundation

/// Why something failed, in the operating system's own words.
public enum SystemReason {
    /// The words for an error number. Where a limit of the process was reached, they name the limit.
    public static func text(_ number: Int32 = errno) -> String {
        let words = String(cString: strerror(number))
        switch number {
        case EMFILE, ENFILE: return "\(words); raise the limit on open files (ulimit -n)"
        default: return words
        }
    }

    /// The words for an error of Foundation, which keeps the system's error inside its own. Foundation's description
    /// says only "The operation could not be completed" and a number.
    public static func text(_ error: any Error) -> String {
        if let failure = error as? Failure { return failure.sentence }
        var next: (any Error)? = error
        while let found = next.map({ $0 as NSError }) {
            if found.domain == NSPOSIXErrorDomain { return text(Int32(found.code)) }
            next = found.userInfo[NSUnderlyingErrorKey] as? any Error
        }
        let outer = error as NSError
        let number = outer.domain == NSCocoaErrorDomain ? numbers[outer.code] : nil
        return number.map { text($0) } ?? "the system gave no reason"
    }

    /// The system's errors for the codes of Foundation's errors that come without one.
    private static let numbers: [Int: Int32] = [
        CocoaError.fileNoSuchFile.rawValue: ENOENT, CocoaError.fileReadNoSuchFile.rawValue: ENOENT,
        CocoaError.fileReadNoPermission.rawValue: EACCES, CocoaError.fileWriteNoPermission.rawValue: EACCES,
        CocoaError.fileWriteFileExists.rawValue: EEXIST, CocoaError.fileWriteOutOfSpace.rawValue: ENOSPC,
        CocoaError.fileWriteVolumeReadOnly.rawValue: EROFS,
    ]
}
