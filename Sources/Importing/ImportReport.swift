/// What an import did. Names of files are in here alone, never in the data set: the report stays at the site.
public struct ImportReport: Codable, Sendable, Equatable {
    public struct Refused: Codable, Sendable, Equatable {
        public let file: String
        public let reason: String
    }

    public struct Duplicate: Codable, Sendable, Equatable {
        public let file: String
        /// The photograph that stays.
        public let of: String
        public let kind: CopyFinder.Kind
        /// Whether the labels of the two contradict each other.
        public let conflict: Bool
    }

    /// Attributes that became unknown because copies, or rows of one photograph, contradict each other.
    public struct LabelConflict: Codable, Sendable, Equatable {
        public let file: String
        public let attributes: [String]
    }

    /// Photographs of one eye: both stay, as one patient.
    public struct SameEye: Codable, Sendable, Equatable {
        public let file: String
        public let of: String
        /// Agreement of the vessels; nil where the two are nearly one photograph.
        public let vessels: Double?
        /// Whether the table gives them two patients' names: they may be one person under two names.
        public let twoNames: Bool
    }

    public struct Splits: Codable, Sendable, Equatable {
        public var train = 0
        public var validation = 0
        public var holdout = 0
    }

    public struct Photograph: Codable, Sendable, Equatable {
        /// Row of the data set.
        public let row: Int
        public let file: String
        public let split: String
    }

    public var site: String
    public var size: Int
    public var onePatientPerPhoto: Bool
    public var labelRelease: String?
    /// Photographs in the data set.
    public var kept: Int
    public var refused: [Refused]
    public var duplicates: [Duplicate]
    public var labelConflicts: [LabelConflict]
    public var sameEye: [SameEye]
    /// How many photographs, in the order of their names, were compared for their vessels; nil where all were.
    public var comparedAtOnce: Int?
    public var patients: Int
    /// Photographs by split.
    public var splits: Splits
    /// Files in the folder that are not photographs by their suffix.
    public var ignoredFiles: Int
    /// Photographs in the folder that the table has no row for; and rows without a photograph.
    public var photographsWithoutLabels: Int
    public var labelsWithoutPhotograph: Int
    /// One entry a row of the data set; absent in what `--json` prints.
    public var photographs: [Photograph]?
}
