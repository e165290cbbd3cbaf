import Cohorts
import Files
import Foundation
import HDF5Files
import PictureFiles

/// What `fovea inspect` says about a dataset file.
public struct DatasetDescription: Codable, Hashable, Sendable {
    public let kind: String
    public let version: Int
    public let photographs: Int
    /// Width and height in pixels.
    public let size: Int
    public let patients: Int
    public let onePatientPerPhoto: Bool
    public let synthetic: Bool
    /// How many of the pictures a trained model made; nil if none.
    public let sampled: Int?
    public let site: String
    public let source: String
    public let licence: String
    public let notes: String?
    /// Where the attribute `quality` comes from; nil where nothing says it.
    public let qualitySource: QualitySource?
    public let created: String
    public let toolVersion: String
    /// The number of photographs in each split. Every split has an entry.
    public let splits: [String: Int]
    /// The number of photographs by attribute and name of a code.
    public let cohorts: [String: [String: Int]]
    public let masks: [String]
    public let trainingSetDigest: String

    enum CodingKeys: String, CodingKey {
        case kind, version, photographs, size, patients, synthetic, sampled, site, source, licence, notes, created,
            splits,
            cohorts, masks
        case onePatientPerPhoto = "one_patient_per_photo"
        case qualitySource = "quality_source"
        case toolVersion = "tool_version"
        case trainingSetDigest = "training_set_digest"
    }
}

extension DatasetFile {
    /// What `fovea inspect` says about this file.
    public var description: DatasetDescription {
        DatasetDescription(
            kind: DatasetInfo.kind, version: DatasetInfo.version, photographs: count, size: size,
            patients: Set(patients).count, onePatientPerPhoto: info.onePatientPerPhoto, synthetic: info.synthetic,
            sampled: info.sampled,
            site: info.site, source: info.source, licence: info.licence, notes: info.notes,
            qualitySource: info.qualitySource,
            created: Timestamp.text(info.created), toolVersion: info.toolVersion,
            splits: Dictionary(uniqueKeysWithValues: Split.allCases.map { ("\($0)", rows(of: $0).count) }),
            cohorts: cohorts.mapValues(\.counts), masks: maskNames, trainingSetDigest: trainingSetDigest.description)
    }

    /// Describes the dataset file at `path`.
    /// - Throws: the same as `open`.
    public static func describe(_ path: String) async throws -> DatasetDescription {
        try await open(path).description
    }
}
