import Files
import Fovea

extension Failure {
    /// The sentence for a user at a terminal. Settings are named as options, and the option that helps is named, too.
    package var commandLine: String {
        let option = option.map { "--" + $0.kebab }
        return [place, option, sentence].compactMap { $0 }.joined(separator: ": ") + (remedy?.advice ?? "")
    }
}

extension Advice {
    /// The sentence for a user at a terminal.
    package var commandLine: String { sentence + remedy.advice }
}

extension Failure.Remedy {
    /// What a user of the command line can do.
    fileprivate var advice: String {
        switch self {
        case .replace: "; give --force to replace it"
        case .resume: "; go on with --resume"
        case .resumeOrEnd(let count): "; go on with --resume, or end with --resume --count \(count)"
        case .resumeOrReplace: "; go on with --resume, replace it with --force, or name another folder"
        case .resumeOrDiscard: "; give --resume to go on with it, or --force to discard it"
        case .discard: "; --force without --resume discards it"
        case .drawUnseen: "; --allow-small-cohorts draws it nevertheless, and the file says so"
        case .excludeRefused: "; --exclude-bad goes on without what is refused"
        case .closeEarly: "; --early closes it without"
        case .closeEarlyWithoutRefused: "; --early --exclude-bad closes it without"
        case .replaceParcel: "; --replaces with its path says that the new one replaces it"
        case .markOnly: "; --mark-only marks the site in the list without a new model"
        case .auditOrReason: "; give a passing one with --audit, or --unaudited REASON, which is kept in it"
        case .auditModel: "; give the audit --model"
        case .signAudit: "; a privacy officer reads it and signs it: fovea audit sign FOLDER --key KEY"
        case .trust: "; give --trust with a list that does"
        case .onePatientPerPhoto: "; name one in the map, patient: {column: ...}, or give --one-patient-per-photo"
        case .allowSynthetic: "; --allow-synthetic takes them and marks the dataset"
        case .holdout: "; name photographs of patients that the model never saw with --holdout"
        case .canaries: "; fovea train --canaries makes one"
        case .classes: "; --classes ATTRIBUTE=VALUE,VALUE,... says them"
        case .size: "; give --size"
        case .showFewer: "; show fewer with --most"
        case .noGuidance: "; --guidance 1 needs none"
        case .stateLicence(let path): "; state it with fovea terms \(path) --licence NAME"
        case .exchange(let one, let other): "; did you swap --\(one.kebab) and --\(other.kebab)?"
        }
    }
}

extension String {
    /// The name of a setting as that of an option: `onePatientPerPhoto` becomes `one-patient-per-photo`.
    fileprivate var kebab: String {
        reduce(into: "") { $0 += $1.isUppercase ? "-" + $1.lowercased() : String($1) }
    }
}
