import Files
import Foundation
import HDF5Files

/// Where the values of a data set's attribute `quality` come from.
public enum QualitySource: String, Codable, Sendable, CaseIterable {
    /// From the site's table.
    case stated
    /// From the photographs themselves.
    case measured
    /// Of some photographs from a table, and of others from the photographs themselves.
    case mixed

    @HDF5Actor
    fileprivate init(from root: HDF5Group) throws {
        let text = try root.attributeString("quality_source")
        guard let source = QualitySource(rawValue: text) else {
            throw Failure(
                .badData, root.file, field: "quality_source",
                expected: QualitySource.allCases.map(\.rawValue).joined(separator: ", "), found: "\"\(text)\"")
        }
        self = source
    }
}

/// What a dataset file says about itself as a whole.
public struct DatasetInfo: Sendable, Hashable {
    public static let kind = "fovea.dataset"
    public static let version = 1

    public var site: String
    /// Where the photographs come from: a collection's name, or the phantoms' recipe.
    public var source: String
    public var licence: String
    /// Whether the site declared that each photograph shows another patient, because no column names the patients.
    public var onePatientPerPhoto: Bool
    /// Whether the pictures, or some of them, are rendered or generated.
    public var synthetic: Bool
    /// How many of the pictures a trained model made. Nil if none: then all pictures of a synthetic data set are drawn.
    public var sampled: Int?
    /// Whether all pictures are drawn, so that they show no patient. What a model made may show one that it has
    /// memorised.
    public var isDrawn: Bool { synthetic && sampled == nil }
    public var notes: String?
    /// Where the attribute `quality` comes from; nil where nothing says it, as in files of version 0.1.
    public var qualitySource: QualitySource?
    /// Stored in whole seconds.
    public var created: Date
    public var toolVersion: String

    public init(
        site: String, source: String, licence: String = "unspecified", onePatientPerPhoto: Bool = false,
        synthetic: Bool = false, sampled: Int? = nil, notes: String? = nil, qualitySource: QualitySource? = nil,
        created: Date = Date(), toolVersion: String = ToolVersion.current
    ) {
        self.site = site
        self.source = source
        self.licence = licence
        self.onePatientPerPhoto = onePatientPerPhoto
        self.synthetic = synthetic
        self.sampled = sampled
        self.notes = notes
        self.qualitySource = qualitySource
        self.created = created
        self.toolVersion = toolVersion
    }

    @HDF5Actor
    func write(to root: HDF5Group) throws {
        try root.setAttribute("kind", DatasetInfo.kind)
        try root.setAttribute("version", DatasetInfo.version)
        try root.setAttribute("site", site)
        try root.setAttribute("source", source)
        try root.setAttribute("licence", licence)
        try root.setAttribute("created", Timestamp.text(created))
        try root.setAttribute("tool_version", toolVersion)
        try root.setAttribute("one_patient_per_photo", onePatientPerPhoto ? "YES" : "NO")
        try root.setAttribute("synthetic", synthetic ? "YES" : "NO")
        if let sampled { try root.setAttribute("sampled", sampled) }
        if let notes { try root.setAttribute("notes", notes) }
        if let qualitySource { try root.setAttribute("quality_source", qualitySource.rawValue) }
    }

    @HDF5Actor
    init(from root: HDF5Group) throws {
        try root.requireKind(DatasetInfo.kind, version: DatasetInfo.version)
        site = try root.attributeString("site")
        source = try root.attributeString("source")
        licence = try root.attributeString("licence")
        created = try Timestamp.date(try root.attributeString("created"), field: "created", file: root.file)
        toolVersion = try root.attributeString("tool_version")
        onePatientPerPhoto = try root.attributeFlag("one_patient_per_photo")
        synthetic = try root.attributeFlag("synthetic")
        sampled = try root.hasAttribute("sampled") ? root.attributeInt("sampled") : nil
        notes = try root.hasAttribute("notes") ? root.attributeString("notes") : nil
        qualitySource = try root.hasAttribute("quality_source") ? QualitySource(from: root) : nil
    }
}
