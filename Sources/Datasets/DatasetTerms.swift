import Files
import Foundation
import HDF5Files
import PictureFiles

/// The terms of the photographs of a data set, stated after the import.
public struct DatasetTerms: Sendable, Equatable {
    public var licence, source: String

    /// The terms that the data set at `path` states.
    /// - Throws: the same as `DatasetFile.open`.
    public init(of path: String) async throws {
        let info = try await DatasetFile.open(path).info
        (licence, source) = (info.licence, info.source)
    }

    /// Writes these terms into the data set at `path`, in a copy that takes its place when it is whole. The notes of
    /// the data set say that this was done, and on which day. Photographs, patients, splits and digests stay as they
    /// are.
    /// - Throws: `Failure`: `.cannotCreateOutput`, `.readOrWriteFailed`, `.badData`.
    @HDF5Actor
    public func write(to path: String, on day: String) throws {
        let staged = try StagedFile(path, force: true)
        do {
            try FileManager.default.copyItem(atPath: path, toPath: staged.stagingPath)
        } catch {
            throw StagedFile.failure(path, error, "copied")
        }
        let file = try HDF5File.change(staged.stagingPath, shownAs: path), root = file.root
        let before = try DatasetInfo(from: root)
        try root.replaceAttribute("licence", licence)
        try root.replaceAttribute("source", source)
        let note =
            "terms stated on \(day), after the import; before: licence \(before.licence), source \(before.source)"
        try root.replaceAttribute("notes", [before.notes, note].compactMap(\.self).joined(separator: "; "))
        try file.close()
        try staged.commit()
        FileProbe.noteOwn(path)
    }
}
