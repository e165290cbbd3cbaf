import Files

/// How the columns and codes of one release of a data set translate into the cohort schema.
///
/// A map is a YAML file. Each release has its own file, because codes conflict between releases:
///
///     release: IDRiD disease grading, 2018   # free text, for the report
///     separator: ","                         # optional: one of , ; | tab and space; otherwise told from the table
///     file: {column: Image name, suffix: .jpg}
///     patient: {column: Child, pattern: '^[0-9]+'}    # optional; the pattern keeps a part of the cell
///     attributes:
///       dr_icdr: {column: Retinopathy grade, codes: {"0": "0", "1": "1", "9": ungradable}}
///       laterality: {column: Eye, pattern: '[LR]$', codes: {L: left, R: right}}
///       age_band: {column: Age, years: true}          # years into bands of ten
///       # or from two dates: age_band: {born: Date of birth, taken: Date of photograph, dates: DD.MM.YYYY}
///       disease: {flags: {N: healthy, G: glaucoma}, several: unknown}    # columns that hold 0 or 1
///       camera: {column: Device}                      # an open attribute takes the cell as it is
///       quality: {path: '/(good|bad)/', codes: {good: good, bad: reject}}    # a part of the photograph's path
///       field: {constant: macula}
///
/// Of DICOM files, a map with `source: dicom` can take the patient and some attributes from the header:
/// `{header: true}`.
///
/// Where a row names several photographs, `files` takes the place of `file`: a list of columns, each with attributes
/// of its own. A map that has neither reads no table.
///
/// An empty cell is unknown, and a code may be mapped to `unknown`. A code that the map does not name is an error.
public struct LabelMap: Sendable, Equatable {
    /// Where a value comes from.
    public enum Source: Sendable, Equatable {
        /// The same name for every photograph.
        case constant(String)
        /// A cell that is looked up in `codes`; `pattern` can keep a part of the cell first.
        case column(String, pattern: LabelPattern?, codes: [String: String])
        /// A cell with an age in years.
        case years(String)
        /// The age from two columns: the date of birth, and the date of the photograph.
        case dates(born: String, taken: String, DateForm)
        /// A cell that is taken as it is (open attributes); `pattern` can keep a part of it.
        case asWritten(String, pattern: LabelPattern?)
        /// Several columns that each say yes or no to one code; `none` is the code where all say no.
        case flags([Flag], none: String, several: Several)
        /// A cell that holds several codes, with `split` between them. A part that `codes` does not name has the code
        /// `otherwise`, or is an error where that is nil.
        case list(String, split: LabelPattern, codes: [String: String], otherwise: String?, several: Several)
        /// A part of the photograph's path in the folder. It is looked up in `codes`, or taken as it is where these are
        /// nil.
        case path(LabelPattern, codes: [String: String]?)
        /// What the header of a DICOM file says of the attribute.
        case header
    }

    /// The attributes that the header of a DICOM file can give.
    public static let headerAttributes = ["age_band", "sex", "laterality", "field", "camera"]

    /// A column that says yes or no to one code.
    public struct Flag: Sendable, Equatable {
        public let column: String
        public let code: String
    }

    /// What counts where a photograph has several codes of one attribute.
    public enum Several: Sendable, Equatable {
        case unknown
        /// The first of these codes that is among them; unknown if none is.
        case first([String])
    }

    /// An attribute and the source of its values.
    public struct Entry: Sendable, Equatable {
        public let attribute: Attribute
        public let source: Source
    }

    /// A column that names photographs.
    public struct FileColumn: Sendable, Equatable {
        public let column: String
        /// Appended to cells that do not end with the suffix of a picture.
        public let suffix: String
        /// The attributes of these photographs alone, in the schema's order.
        public let attributes: [Entry]
    }

    /// What names the patients.
    public enum Patient: Sendable, Equatable {
        /// A column of the table; `pattern` can keep a part of the cell.
        case column(String, pattern: LabelPattern?)
        /// A part of the photograph's path in the folder.
        case path(LabelPattern)
        /// The patient's ID in the header of a DICOM file.
        case header
    }

    /// The file's name, or the name of a map that comes with the program, for messages.
    public let name: String
    /// The release that the map is for, in free text.
    public let release: String?
    public let separator: TableSeparator?
    /// The names of the columns of a table that has no header; nil for a table that has one.
    public let columns: [String]?
    /// The columns that name photographs; empty for a map that reads no table.
    public let files: [FileColumn]
    public let patient: Patient?
    /// The attributes of all photographs, in the schema's order.
    public let attributes: [Entry]
    /// The columns by which a table of this release is known; empty where it is known by all columns of the map.
    let knownBy: [String]

    /// Whether the labels come from a table.
    public var readsTable: Bool { !files.isEmpty }

    init(
        name: String, release: String?, separator: TableSeparator?, columns: [String]?, files: [FileColumn],
        patient: Patient?, attributes: [Entry], knownBy: [String]
    ) {
        (self.name, self.release, self.separator, self.columns) = (name, release, separator, columns)
        (self.files, self.patient, self.attributes, self.knownBy) = (files, patient, attributes, knownBy)
    }
}

/// A regular expression that keeps a part of a text: its first group, or the whole match if it has no group.
public struct LabelPattern: Sendable, Equatable {
    public let text: String

    /// - Throws: the error of `Regex` if `text` is not a regular expression.
    public init(_ text: String) throws {
        _ = try Regex(text)
        self.text = text
    }

    /// The pattern, ready for many texts. It must stay on one thread.
    func compiled() -> CompiledPattern { CompiledPattern(self) }
}

/// A pattern that is compiled once for many texts.
struct CompiledPattern {
    let text: String
    private let regex: Regex<AnyRegexOutput>

    fileprivate init(_ pattern: LabelPattern) {
        text = pattern.text
        guard let regex = try? Regex(pattern.text) else { fatalError("\(pattern.text) was a pattern and is none now") }
        self.regex = regex
    }

    /// The part of `text` that the pattern keeps; nil if the pattern does not match.
    func part(of text: String) -> String? {
        guard let match = (try? regex.firstMatch(in: text)) ?? nil else { return nil }
        return (match.output.count > 1 ? match.output[1] : match.output[0]).substring.map(String.init)
    }

    /// The parts of `text` between the matches.
    func split(_ text: String) -> [String] { text.split(separator: regex).map(String.init) }
}
