import Files

/// How the columns and codes of one release of a data set translate into the cohort schema.
///
/// A map is a YAML file. Each release has its own file, because codes conflict between releases:
///
///     release: IDRiD disease grading, 2018   # free text, for the report
///     separator: ","                         # optional: one of , ; and tab; otherwise chosen by the header
///     file: {column: Image name, suffix: .jpg}
///     patient: {column: Child, pattern: '^[0-9]+'}    # optional; the pattern keeps a part of the cell
///     attributes:
///       dr_icdr: {column: Retinopathy grade, codes: {"0": "0", "1": "1", "9": ungradable}}
///       laterality: {column: Eye, pattern: '[LR]$', codes: {L: left, R: right}}
///       age_band: {column: Age, years: true}          # whole years into bands of ten
///       # or from two dates: age_band: {born: Date of birth, taken: Date of photograph, dates: DD.MM.YYYY}
///       camera: {column: Device}                      # an open attribute takes the cell as it is
///       field: {constant: macula}
///
/// An empty cell is unknown, and a code may be mapped to `unknown`. A code that the map does not name is an error.
public struct LabelMap: Sendable, Equatable {
    /// Where a value comes from.
    public enum Source: Sendable, Equatable {
        /// The same name for every photograph.
        case constant(String)
        /// A cell that is looked up in `codes`; `pattern` can keep a part of the cell first.
        case column(String, pattern: LabelPattern?, codes: [String: String])
        /// A cell with an age in whole years.
        case years(String)
        /// The age from two columns: the date of birth, and the date of the photograph.
        case dates(born: String, taken: String, DateForm)
        /// A cell that is taken as it is (open attributes); `pattern` can keep a part of it.
        case asWritten(String, pattern: LabelPattern?)
    }

    /// The column that names the photographs.
    public struct FileColumn: Sendable, Equatable {
        public let column: String
        /// Appended to cells that do not end with it.
        public let suffix: String
    }

    /// The column that names the patients.
    public struct PatientColumn: Sendable, Equatable {
        public let column: String
        public let pattern: LabelPattern?
    }

    /// The file's name, for messages.
    public let name: String
    /// The release that the map is for, in free text.
    public let release: String?
    public let separator: Character?
    public let file: FileColumn
    public let patient: PatientColumn?
    /// Each attribute with the source of its values, in the schema's order.
    public let attributes: [(attribute: Attribute, source: Source)]

    public static func == (a: LabelMap, b: LabelMap) -> Bool {
        a.name == b.name && a.release == b.release && a.separator == b.separator && a.file == b.file
            && a.patient == b.patient
            && a.attributes.map(\.attribute) == b.attributes.map(\.attribute)
            && a.attributes.map(\.source) == b.attributes.map(\.source)
    }
}

/// A regular expression that keeps a part of a cell: its first group, or the whole match if it has no group.
public struct LabelPattern: Sendable, Equatable {
    public let text: String

    /// - Throws: the error of `Regex` if `text` is not a regular expression.
    public init(_ text: String) throws {
        _ = try Regex(text)
        self.text = text
    }

    /// The part of `cell` that the pattern keeps; nil if the pattern does not match.
    public func part(of cell: String) -> String? {
        guard let match = (try? Regex(text))?.firstMatchOrNil(in: cell) else { return nil }
        if match.output.count > 1 { return match.output[1].substring.map(String.init) }
        return match.output[0].substring.map(String.init)
    }
}

extension Regex<AnyRegexOutput> {
    fileprivate func firstMatchOrNil(in text: String) -> Regex<AnyRegexOutput>.Match? {
        (try? firstMatch(in: text)) ?? nil
    }
}
