import Files

/// What an import did. Only this report holds names of files and the data set never does, so the report stays at the
/// site.
public struct ImportReport: Codable, Sendable, Equatable {
    /// A photograph that could not be used.
    public struct Refused: Codable, Sendable, Equatable {
        public let file: String
        public let reason: String
        /// Whether it is a picture that a model made.
        public var isSynthetic: Bool { reason.hasPrefix("is a synthetic picture") }
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

    /// What an import that adds photographs to the data set has to know. It names files, and no patients.
    public struct Links: Codable, Sendable, Equatable {
        /// A file that was dropped because it is a copy of a photograph of the data set.
        public struct Copy: Codable, Sendable, Equatable {
            public let file: String
            /// The digest of its decoded pixels.
            public let digest: Digest
            public let row: Int
        }

        /// Tells the patient secret with which all patients' keys were made from other secrets; nil if there is none.
        public var secretCheck: String?
        public var copies: [Copy]
        /// For patients who turned out to be one person: the keys that their other names would have, each with the key
        /// that is in the data set.
        public var otherKeys: [String: String]
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

    /// A photograph whose row in the table writes its name in another way: other capitals, folders or Unicode form.
    public struct Renamed: Codable, Sendable, Equatable {
        public let file: String
        public let inTable: String
    }

    /// Something about a photograph of the data set, or about a copy that was dropped, that a person may want to look
    /// at.
    public struct Flag: Codable, Sendable, Equatable {
        public let file: String
        public let what: PhotographNote.Kind
        /// A clause.
        public let detail: String
    }

    /// A folder that, by its name, holds small copies of photographs.
    public struct PreviewFolder: Codable, Sendable, Equatable {
        /// The path in the folder of photographs.
        public let folder: String
        /// The photographs in it that could be used, and how many of them were dropped as copies.
        public let photographs: Int
        public let copies: Int
    }

    /// The number of patients of the train split who have two values together.
    public struct Pair: Codable, Sendable, Equatable {
        /// The value of each of two attributes.
        public let values: [String: String]
        public let patients: Int
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
        /// The digest of the file's decoded pixels; nil if it was in the data set before and nothing says it.
        public let digest: Digest?
    }

    public var site: String
    public var size: Int
    public var onePatientPerPhoto: Bool
    public var labelRelease: String?
    /// The number of photographs in the data set.
    public var kept: Int
    public var refused: [Refused]
    public var duplicates: [Duplicate]
    public var flags: [Flag]
    public var previews: [PreviewFolder]
    /// How many pictures of the data set a model made, as the labels in their files say.
    public var synthetic: Int
    /// What in the folder is neither a photograph nor another file, and what could not be searched.
    public var skipped: [SkippedEntry]
    public var labelConflicts: [LabelConflict]
    public var sameEye: [SameEye]
    /// With how many others each photograph was compared for its vessels: with those whose vessels have the nearest
    /// spectra. It is nil if each was compared with all others.
    public var comparedWith: Int?
    public var patients: Int
    /// The number of photographs in each split.
    public var splits: Splits
    /// The number of files in the folder whose suffix is not that of a photograph.
    public var ignoredFiles: Int
    /// The same by suffix, such as `.tiff`.
    public var unread: [String: Int]
    /// Their names by suffix; nil in what `--json` prints.
    public var unreadFiles: [String: [String]]?
    /// The number of photographs in the folder for which the table has no row, and of rows that have no photograph.
    public var photographsWithoutLabels: Int
    public var labelsWithoutPhotograph: Int
    /// Their names; nil in what `--json` prints.
    public var photographsWithoutRow: [String]?
    public var rowsWithoutPhotograph: [String]?
    /// Photographs that were matched with their row although the names are not written alike.
    public var renamed: [Renamed]
    /// What the map may lack, or examples of both sides, where few rows name a photograph; nil otherwise.
    public var hint: String?
    public var licence: String?
    /// The number of photographs that were added to those of a data set; nil if the import made the data set.
    public var added: Int?
    /// Patients of that data set whose photographs lay in two splits, because nobody knew that they are one person, and
    /// lie in the stricter one now: how many photographs left the train split.
    public var leftTrain: Int?
    /// How good the photographs are that were read now.
    public var quality: Quality
    /// What a later import into the data set has to know; nil in what `--json` prints.
    public var links: Links?
    /// The number of patients of the train split by attribute and value. It decides what a model may be asked for.
    public var trainPatients: [String: [String: Int]]
    /// The same for two values together, of every pair of attributes with at least two values.
    public var trainPairs: [Pair]
    /// What a privacy audit can be expected to show for so many patients.
    public var auditOutlook: String?
    /// One entry for each row of the data set; nil in what `--json` prints.
    public var photographs: [Photograph]?

    /// The report without long lists of names.
    public var summary: ImportReport {
        var summary = self
        (summary.photographs, summary.unreadFiles, summary.links) = (nil, nil, nil)
        (summary.photographsWithoutRow, summary.rowsWithoutPhotograph) = (nil, nil)
        summary.quality.photographs = quality.poor
        return summary
    }
}
