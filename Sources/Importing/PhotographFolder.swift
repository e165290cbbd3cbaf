import Files
import Foundation

/// The photographs in a folder and in the folders inside it.
///
/// Links to folders are followed, and no folder is searched twice, so that links may lead in a circle. Names may be of
/// any bytes.
package struct PhotographFolder: Sendable {
    /// Paths relative to the folder, sorted by their bytes. A name that is not UTF-8 is escaped (`RawPath.shown`).
    package let photographs: [String]
    /// Paths of the files with other suffixes, without hidden files, sorted by their bytes.
    let unread: [String]
    /// What is no photograph, such as a pipe or a broken link, and what is hidden.
    let skipped: [SkippedEntry]
    /// Folders and files that the system did not let be searched.
    package let unsearched: [SkippedEntry]

    private let folder: RawPath
    /// The paths in the folder that are not the same as their text.
    private let escaped: [[UInt8]: RawPath]

    /// Suffixes of the formats that are read. A file is read by its content, whichever of them it has.
    static let suffixes: Set<String> = ["jpg", "jpeg", "jpe", "jfif", "png", "tif", "tiff", "webp"]

    /// - Parameter others: files that may lie in the folder and are no photographs, such as the table of labels.
    /// - Throws: `Failure`: `.noSuchInput` if there is no such folder; `.badData` if it is a file or holds no
    ///   photograph; `.readOrWriteFailed` if it cannot be listed. Folders inside it that cannot be listed are skipped.
    package init(_ path: String, without others: [String] = []) throws {
        folder = RawPath(path)
        guard let status = FileStatus(folder) else {
            if errno == ENOENT || errno == ENOTDIR { throw Failure(.noSuchInput, path, "does not exist") }
            throw Failure(.readOrWriteFailed, path, "could not be read: \(String(cString: strerror(errno)))")
        }
        guard status.kind == .folder else {
            throw Failure(.badData, path, "is a file; a folder of photographs was expected")
        }
        var search = FolderSearch(folder, without: Set(others.compactMap { FileStatus(RawPath($0))?.identity }))
        try search.run()
        var escaped: [[UInt8]: RawPath] = [:]
        var taken: Set<[UInt8]> = []
        func named(_ path: RawPath) -> String {
            var name = path.shown
            // Only a file whose UTF-8 name spells an escape can have the name already.
            while !taken.insert(Array(name.utf8)).inserted { name += "\\x" }
            if !name.utf8.elementsEqual(path.bytes) { escaped[Array(name.utf8)] = path }
            return name
        }
        let found = search.files.filter { PhotographFolder.isPhotograph($0.shown) }.map(named)
        unread = PhotographFolder.sorted(
            search.files.map(\.shown).filter { !PhotographFolder.isPhotograph($0) })
        skipped = search.skipped.sorted { $0.file < $1.file }
        unsearched = search.unsearched.sorted { $0.file < $1.file }
        photographs = PhotographFolder.sorted(found)
        self.escaped = escaped
        guard !found.isEmpty else {
            let suffixes = PhotographFolder.bySuffix(unread).sorted { $0.key < $1.key }
            let others = suffixes.isEmpty ? "" : ": " + suffixes.map { "\($1.count) \($0)" }.joined(separator: ", ")
            let first = (unsearched + skipped).first.map { "; \($0.file) \($0.reason)" } ?? ""
            throw Failure(
                .badData, path,
                """
                holds no photographs (files ending in .jpg, .jpeg, .png, .tif, .tiff or .webp; \(unread.count) other \
                files\(others)\(first))
                """)
        }
    }

    /// Where a photograph is, from the name that `photographs` gives it.
    package func path(of photograph: String) -> RawPath {
        folder.appending(escaped[Array(photograph.utf8)] ?? RawPath(photograph))
    }

    /// For photographs whose name is not UTF-8, the name with its bytes read as Latin-1, as a table may write it.
    package var latin1Names: [String: String] {
        Dictionary(
            escaped.map { (String(decoding: $0.key, as: UTF8.self), $0.value.asLatin1) },
            uniquingKeysWith: { a, _ in a })
    }

    /// Whether a name has the suffix of a photograph.
    static func isPhotograph(_ name: String) -> Bool {
        suffixes.contains((name as NSString).pathExtension.lowercased())
    }

    private static func sorted(_ paths: [String]) -> [String] {
        paths.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    }

    /// Paths by their suffix in small letters, such as `.tiff`; `no suffix` for names without one.
    static func bySuffix(_ paths: [String]) -> [String: [String]] {
        Dictionary(grouping: paths) { path in
            let suffix = (path as NSString).pathExtension.lowercased()
            return suffix.isEmpty ? "no suffix" : "." + suffix
        }
    }
}
