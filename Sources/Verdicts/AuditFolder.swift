import CheckpointStore
import Files
import Foundation

/// The folder of an audit: `public/` may leave the site, `private/` (mode 0700) never does.
package struct AuditFolder {
    /// The folder as the user named it.
    package let path: String
    /// The folder of the files that may leave the site.
    package let publicPath: String
    /// The folder of the files that show patients; nil where the public folder was named on its own.
    private let privatePath: String?

    package init(_ path: String) {
        self.path = path.hasSuffix("/") ? String(path.dropLast()) : path
        publicPath = self.path + "/public"
        privatePath = self.path + "/private"
    }

    /// Finds the audit that a user means who names an audit's folder, its public folder or a file of the latter.
    /// - Returns: nil where `path` is none of these.
    package init?(finding path: String) {
        func holdsAudit(_ folder: String) -> Bool {
            FileManager.default.fileExists(atPath: folder + "/" + AuditFolder.figures)
        }
        let url = URL(fileURLWithPath: path)
        if holdsAudit(path + "/public") {
            self.init(path)
        } else if holdsAudit(path) {
            self.init(path, showing: path.hasSuffix("/") ? String(path.dropLast()) : path)
        } else if AuditFolder.publicNames.contains(url.lastPathComponent),
            holdsAudit(url.deletingLastPathComponent().path)
        {
            self.init(path, showing: url.deletingLastPathComponent().path)
        } else {
            return nil
        }
    }

    /// The folder that holds the public and the private folder; nil where the public folder stands alone.
    package var whole: AuditFolder? {
        privatePath.map { AuditFolder(URL(fileURLWithPath: $0).deletingLastPathComponent().path) }
    }

    init(_ path: String, showing publicPath: String) {
        (self.path, self.publicPath) = (path, publicPath)
        let parent = URL(fileURLWithPath: publicPath).deletingLastPathComponent().path
        privatePath = URL(fileURLWithPath: publicPath).lastPathComponent == "public" ? parent + "/private" : nil
    }

    package static let names: Set = ["public", "private"]
    /// What an interrupted signing leaves behind.
    static let unfinished = ["public.unfinished", "public.replaced"]
    package static let figures = "audit.json", page = "audit.html", manifest = "manifest.json"
    /// The files of `public/`.
    private static let publicNames: Set = [
        figures, page, manifest, DetachedSignature.path(for: figures), DetachedSignature.path(for: manifest),
    ]

    package func publicFile(_ name: String) -> String { publicPath + "/" + name }

    /// A file of the private folder; nil where there is no private folder.
    package func privateFile(_ name: String) -> String? {
        privatePath.map { $0 + "/" + name }.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    }

    /// Checks that an audit can be written to the folder.
    /// - Throws: `Failure(.cannotCreateOutput)` where the folder holds something that may not be replaced.
    package func requireWritable(force: Bool) throws {
        guard let found = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            return try StagedFile.requireWritable(path, force: false)
        }
        guard Set(found).isSubset(of: AuditFolder.names.union(AuditFolder.unfinished)) else {
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
        let place = (privatePath ?? path + "/private") + "/flagged.json", data = try JSONText.contents(place)
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
