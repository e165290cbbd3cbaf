import Files
import Foundation
import Reporting
import SampleStore

/// `export.json`, which lists what an exported folder holds.
struct ExportManifest: Codable {
    struct File: Codable, Hashable {
        var name: String
        var bytes: Int
        /// SHA-256 of the file's bytes, hexadecimal.
        var sha256: String
    }

    static let name = "export.json"
    /// The file that says in an export that it was not audited.
    static let notice = "NOT-FOR-RELEASE.txt"
    static let kind = "fovea.export"

    var kind = ExportManifest.kind
    var version = 1
    var format: SampleExport.Format
    var samples: Int
    var synthetic = true
    var digitalSourceType = SampleSet.digitalSourceType
    /// Whether the set holds a valid verdict of an audit; nil in an export of version 0.1, which did not say.
    var releasable: Bool?
    /// What somebody must know who uses the samples; nil for nothing.
    var warnings: [String]?
    /// The number of pictures that show another one in another cohort, and may look the same; nil where there is none.
    var counterfactuals: Int?
    /// SHA-256 of the content of the sample set that was exported.
    var content: String
    var files: [File]

    enum CodingKeys: String, CodingKey {
        case kind, version, format, samples, synthetic, releasable, warnings, counterfactuals, content, files
        case digitalSourceType = "digital_source_type"
    }

    init(format: SampleExport.Format, set: SampleSetDescription, content: Digest, files: [PackagedFile]) {
        self.format = format
        samples = set.samples
        releasable = set.releasable
        warnings = set.warnings.isEmpty ? nil : set.warnings
        counterfactuals = set.counterfactuals
        self.content = content.description
        self.files = files.map { File(name: $0.name, bytes: $0.byteCount, sha256: $0.digest.description) }
    }

    /// - Throws: `Failure(.noSuchInput)` where the folder has no manifest; `Failure(.badData)` where the manifest is
    ///   damaged or of another version.
    init(in folder: String) throws {
        let path = "\(folder)/\(ExportManifest.name)"
        self = try JSONText.decode(ExportManifest.self, try JSONText.contents(path), place: path)
        guard kind == ExportManifest.kind, version == 1 else {
            throw Failure(
                .badData, path, field: "kind", expected: "\(ExportManifest.kind) 1", found: "\(kind) \(version)")
        }
        for file in files where file.name.hasPrefix("/") || file.name.split(separator: "/").contains("..") {
            throw Failure(.badData, path, field: "files", expected: "names below the folder", found: file.name)
        }
    }

    func write(to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let staged = try StagedFile("\(folder)/\(ExportManifest.name)", force: true)
        try staged.write(try encoder.encode(self))
        try staged.commit()
    }
}
