import Cryptography
import Files
import Foundation

/// What an import keeps until its data set is written, so that a later import can go on after a stop or a failure: the
/// folder `OUT.unfinished`. It holds pictures of patients, and only the user can read its files.
public final class UnfinishedImport {
    private let folder: UnfinishedFolder
    private let settings: Settings

    /// What the pictures in the folder depend on.
    private struct Settings: Codable {
        var size: Int
        var allowsSynthetic: Bool
        var text: BurnedInTextPolicy
        /// A secret that is drawn for this import, hexadecimal. It is used if the site gives none of its own.
        var secret: String
        /// See `PhotographReader.version`.
        var reader: Int

        static let name = "import.json"
    }

    /// Begins an import, or goes on with one.
    /// - Parameters:
    ///   - importer: its `size`, `allowsSynthetic` and `text` decide what is read.
    ///   - folder: that of the output. Whoever holds it is the only one who makes the output.
    ///   - resumes: whether to go on with what an earlier import left, if it left anything.
    ///   - replaces: whether what an earlier import left may be discarded.
    /// - Throws: `Failure`: `.cannotCreateOutput` if an import that was not finished is there and `resumes` and
    ///   `replaces` are false; `.usage` if that import was begun with other settings; `.badData` if it is damaged;
    ///   `.readOrWriteFailed`.
    public init(of importer: Importer, in folder: UnfinishedFolder, resumes: Bool, replaces: Bool) throws {
        self.folder = folder
        let path = folder.file(Settings.name)
        if RegularFile.exists(path), resumes {
            settings = try JSONText.decode(Settings.self, JSONText.contents(path), place: path)
            try requireSame(importer)
            return
        }
        if RegularFile.exists(path), !replaces {
            throw Failure(
                .cannotCreateOutput, folder.path, "holds an import that was not finished", remedy: .resumeOrDiscard)
        }
        try folder.clear(first: Settings.name, where: UnfinishedImport.isOwn)
        guard chmod(folder.path, 0o700) == 0 else { throw StagedFile.failure(folder.path) }
        settings = Settings(
            size: importer.size, allowsSynthetic: importer.allowsSynthetic, text: importer.text,
            secret: UnfinishedImport.drawnSecret, reader: PhotographReader.version)
        let file = try StagedFile(path, force: true, isPrivate: true)
        try file.write(Data(JSONText.encoded(settings).utf8))
        try file.commit()
    }

    private func requireSame(_ importer: Importer) throws {
        func require(_ field: String, _ began: String, _ asked: String) throws {
            if began == asked { return }
            throw Failure(
                .usage, folder.path, field: field, expected: "\(began), with which the import began", found: asked)
        }
        try require("size", "\(settings.size)", "\(importer.size)")
        try require(
            "synthetic pictures", settings.allowsSynthetic ? "allowed" : "refused",
            importer.allowsSynthetic ? "allowed" : "refused")
        try require("letters", settings.text.rawValue, importer.text.rawValue)
        guard settings.reader == PhotographReader.version else {
            throw Failure(
                .usage, folder.path, "holds an import that another version of fovea began, which cannot go on",
                remedy: .discard)
        }
    }

    /// Makes the importer keep what it reads in the folder. If it has no secret, it gets the one of this import.
    public func prepare(_ importer: inout Importer) {
        importer.resumableFolder = folder.path
        if importer.secret == nil { importer.secret = SecretBytes(Array(settings.secret.utf8)) }
    }

    /// Removes the folder, when the data set is written.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func finish() throws { try folder.remove(first: Settings.name, where: UnfinishedImport.isOwn) }

    /// What to tell a user whose import failed. What was read is kept, and the failure says so. A folder in which
    /// nothing was read is removed.
    public func explained(_ failure: Failure) -> Failure {
        guard ImportJournal.holdsPhotographs(folder.path) else {
            try? finish()
            return failure
        }
        guard failure.remedy == nil else { return failure }
        return Failure(
            failure.kind, failure.place, "\(failure.sentence); what was read is kept in \(folder.path)", remedy: .resume
        )
    }

    private static func isOwn(_ name: String) -> Bool {
        name == Settings.name || ImportWorkspace.names.contains(name)
    }

    private static var drawnSecret: String {
        SecretBytes(randomCount: 32).withUnsafeBytes { Digest(of: Array($0)).description }
    }
}
