/// What an import did. Only this report holds names of files and the data set never does, so the report stays at the
/// site.
public struct ImportReport: Codable, Sendable, Equatable {
    /// A photograph that could not be used.
    public struct Refused: Codable, Sendable, Equatable {
        public let file: String
        public let reason: String
    }

    /// A photograph that was left out because it is a copy.
    public struct Duplicate: Codable, Sendable, Equatable {
        public let file: String
        /// The photograph that stays.
        public let of: String
        public let kind: CopyFinder.Kind
        /// Whether the labels of the two contradict each other.
        public let conflict: Bool
    }

    /// Attributes that became unknown because copies, or rows for one photograph, contradict each other.
    public struct LabelConflict: Codable, Sendable, Equatable {
        public let file: String
        public let attributes: [String]
    }

    /// Two photographs of the same eye. Both stay, and belong to one patient.
    public struct SameEye: Codable, Sendable, Equatable {
        public let file: String
        public let of: String
        /// The agreement of the vessels; nil if the two are nearly the same photograph.
        public let vessels: Double?
        /// Whether the table gives the two photographs different patients, who may be one person under two names.
        public let twoNames: Bool
    }

    /// The number of photographs in each split.
    public struct Splits: Codable, Sendable, Equatable {
        public var train = 0
        public var validation = 0
        public var holdout = 0
    }

    /// A photograph of the data set, with the file from which it was read.
    public struct Photograph: Codable, Sendable, Equatable {
        /// The row of the data set.
        public let row: Int
        public let file: String
        public let split: String
    }

    public var site: String
    public var size: Int
    public var onePatientPerPhoto: Bool
    public var labelRelease: String?
    /// The number of photographs in the data set.
    public var kept: Int
    public var refused: [Refused]
    public var duplicates: [Duplicate]
    public var labelConflicts: [LabelConflict]
    public var sameEye: [SameEye]
    /// How many photographs, in the order of their names, were compared with each other for their vessels; nil if all
    /// were.
    public var comparedAtOnce: Int?
    public var patients: Int
    /// The number of photographs in each split.
    public var splits: Splits
    /// The number of files in the folder whose suffix is not that of a photograph.
    public var ignoredFiles: Int
    /// The number of photographs in the folder for which the table has no row, and of rows that have no photograph.
    public var photographsWithoutLabels: Int
    public var labelsWithoutPhotograph: Int
    /// One entry for each row of the data set; nil in what `--json` prints.
    public var photographs: [Photograph]?
}
