import DICOMFiles
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

    /// The frames of DICOM files that have several: the name of each with its file and its number, counted from 0.
    private let frames: [[UInt8]: (file: RawPath, frame: Int)]

    /// Suffixes of the formats that are read. A file is read by its content, whichever of them it has.
    static let suffixes: Set<String> = [
        "jpg", "jpeg", "jpe", "jfif", "png", "tif", "tiff", "webp", "jp2", "j2k", "j2c", "jpc", "dcm", "dicom",
    ]

    /// - Parameter others: files that may lie in the folder and are no photographs, such as the table of labels.
    /// - Throws: `Failure`: `.noSuchInput` if there is no such folder; `.badData` if it is a file or holds no
    ///   photograph; `.readOrWriteFailed` if it cannot be listed. Folders inside it that cannot be listed are skipped.
    package init(_ path: String, without others: [String] = []) throws {
        folder = RawPath(path)
        guard let status = FileStatus(folder) else {
            if errno == ENOENT || errno == ENOTDIR { throw Failure(.noSuchInput, path, "does not exist") }
            throw Failure(.readOrWriteFailed, path, "could not be read: \(SystemReason.text())")
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
        var found: [String] = [], unread: [String] = [], skipped = search.skipped
        var frames: [[UInt8]: (file: RawPath, frame: Int)] = [:]
        for file in search.files {
            try Cancellation.check(ImportWorkspace.advice)
            let mayBeDICOM = PhotographFolder.mayBeDICOM(file.shown)
            switch mayBeDICOM ? DICOMFile.nature(of: folder.appending(file)) : .other {
            case .directory:
                skipped.append(SkippedEntry(file: file.shown, reason: "is the table of contents of a disc (DICOMDIR)"))
            case .frames(1): found.append(named(file))
            case .frames(let count):
                let name = named(file)
                for frame in 0..<count {
                    frames[Array("\(name)#\(frame + 1)".utf8)] = (file, frame)
                    found.append("\(name)#\(frame + 1)")
                }
            case .other:
                if PhotographFolder.isPhotograph(file.shown) {
                    found.append(named(file))
                } else {
                    unread.append(file.shown)
                }
            }
        }
        self.frames = frames
        self.unread = PhotographFolder.sorted(unread)
        self.skipped = skipped.sorted { $0.file < $1.file }
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
                holds no photographs (DICOM, or files ending in .jpg, .jpeg, .png, .tif, .tiff, .webp or .jp2; \
                \(unread.count) other files\(others)\(first))
                """)
        }
    }

    /// The content of the photograph that has this name in `photographs`.
    /// - Throws: `Failure` if it cannot be read.
    package func content(of photograph: String) throws -> PhotographContent {
        try PhotographContent(path(of: photograph), frame: frames[Array(photograph.utf8)]?.frame ?? 0, name: photograph)
    }

    /// Where the file of a photograph is, from the name that `photographs` gives it.
    package func path(of photograph: String) -> RawPath {
        folder.appending(frames[Array(photograph.utf8)]?.file ?? escaped[Array(photograph.utf8)] ?? RawPath(photograph))
    }

    /// Whether a name has the suffix of a photograph.
    static func isPhotograph(_ name: String) -> Bool {
        suffixes.contains((name as NSString).pathExtension.lowercased())
    }

    /// Whether the content of a file of this name is looked at for DICOM: archives give names without suffix, and UIDs,
    /// which end in a number.
    private static func mayBeDICOM(_ name: String) -> Bool {
        let suffix = (name as NSString).pathExtension.lowercased()
        return ["dcm", "dicom", "dic", "ima"].contains(suffix) || suffix.allSatisfy(\.isNumber)
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
