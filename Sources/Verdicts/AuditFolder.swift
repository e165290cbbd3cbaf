import CheckpointStore
import Files
import Foundation

/// The folder of an audit: `public/` may leave the site, `private/` (mode 0700) never does.
package struct AuditFolder {
    package let path: String

    package init(_ path: String) { self.path = path.hasSuffix("/") ? String(path.dropLast()) : path }

    package static let names: Set = ["public", "private"]

    /// Checks that an audit can be written to the folder.
    /// - Throws: `Failure(.cannotCreateOutput)` where the folder holds something that may not be replaced.
    package func requireWritable(force: Bool) throws {
        guard let found = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            return try StagedFile.requireWritable(path, force: false)
        }
        guard Set(found).isSubset(of: AuditFolder.names) else {
            throw Failure(
                .cannotCreateOutput, path, "holds files that are not an audit's; give the audit a folder of its own")
        }
        guard found.isEmpty || force else {
            throw Failure(.cannotCreateOutput, path, "exists", remedy: .replace)
        }
    }

    /// The list of samples that a release leaves out, checked against the signed audit.
    /// - Throws: `Failure(.notPermitted)` where the list is not that of the audit; `Failure(.noSuchInput)`;
    ///   `Failure(.badData)`; `Failure(.readOrWriteFailed)`.
    package func flagged(_ audit: PublicAudit) throws -> FlaggedList {
        let place = path + "/private/flagged.json", data = try JSONText.contents(place)
        guard Digest(of: Array(data)) == audit.figures.flaggedDigest else {
            throw Failure(.notPermitted, place, "is not the list that the audit was signed with")
        }
        return try JSONText.decode(FlaggedList.self, data, place: place)
    }

    /// JSON on several lines with sorted keys; infinity and NaN are strings.
    package static func pretty(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }
}
