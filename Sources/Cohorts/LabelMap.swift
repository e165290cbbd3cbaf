import Files

/// How the columns and codes of one release of a data set say what the cohort schema says.
///
/// Written as YAML, one file a release, because codes conflict between releases:
///
///     release: IDRiD disease grading, 2018   # free text, for the report
///     separator: ","                         # optional: one of , ; and tab; otherwise told from the header
///     file: {column: Image name, suffix: .jpg}
///     patient: {column: Child, pattern: '^[0-9]+'}    # optional; the pattern keeps a part of the cell
///     attributes:
///       dr_icdr: {column: Retinopathy grade, codes: {"0": "0", "1": "1", "9": ungradable}}
///       laterality: {column: Eye, pattern: '[LR]$', codes: {L: left, R: right}}
///       age_band: {column: Age, years: true}          # whole years into bands of ten
///       camera: {column: Device}                      # an open attribute takes the cell as it is
///       field: {constant: macula}
///
/// An empty cell is unknown; a code may be mapped to `unknown`. A code that the map does not name is an error.
public struct LabelMap: Sendable, Equatable {
    /// Where a value comes from.
    public enum Source: Sendable, Equatable {
        /// The same name of a code for every photograph.
        case constant(String)
        /// A cell, of which `pattern` keeps a part, looked up in `codes`.
        case column(String, pattern: LabelPattern?, codes: [String: String])
        /// A cell with an age in whole years.
        case years(String)
        /// A cell as it is (open attributes).
        case asWritten(String, pattern: LabelPattern?)
    }

    public struct FileColumn: Sendable, Equatable {
        public let column: String
        /// Appended to cells that do not end in it.
        public let suffix: String
    }

    public struct PatientColumn: Sendable, Equatable {
        public let column: String
        public let pattern: LabelPattern?
    }

    public let name: String
    public let release: String?
    public let separator: Character?
    public let file: FileColumn
    public let patient: PatientColumn?
    /// By attribute, in the schema's order.
    public let attributes: [(attribute: Attribute, source: Source)]

    public static func == (a: LabelMap, b: LabelMap) -> Bool {
        a.name == b.name && a.release == b.release && a.separator == b.separator && a.file == b.file
            && a.patient == b.patient
            && a.attributes.map(\.attribute) == b.attributes.map(\.attribute)
            && a.attributes.map(\.source) == b.attributes.map(\.source)
    }
}

/// A regular expression that keeps a part of a cell: the first group where there is one, else the whole match.
public struct LabelPattern: Sendable, Equatable {
    public let text: String

    /// - Throws: where `text` is not a regular expression.
    public init(_ text: String) throws {
        _ = try Regex(text)
        self.text = text
    }

    /// The part of `cell` that the pattern keeps; nil where it does not match.
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
