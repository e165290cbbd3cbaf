import Files
import Foundation

/// The photographs in a folder and in the folders inside it.
package struct PhotographFolder {
    /// Paths relative to the folder, sorted by their bytes.
    package let photographs: [String]
    /// Paths of the files with other suffixes, without hidden files, sorted by their bytes.
    let unread: [String]

    static let suffixes: Set<String> = ["jpg", "jpeg", "jpe", "png"]

    /// - Parameter others: files that may lie in the folder and are no photographs, such as the table of labels.
    /// - Throws: `Failure`: `.noSuchInput` if there is no such folder; `.badData` if it is a file or holds no
    ///   photograph; `.readOrWriteFailed` if a folder cannot be listed.
    package init(_ path: String, without others: [String] = []) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(.noSuchInput, path, "does not exist")
        }
        guard isFolder.boolValue else {
            throw Failure(.badData, path, "is a file; a folder of photographs was expected")
        }
        var found: [String] = [], unread: [String] = []
        let others = Set(others.map(PhotographFolder.real))
        // Links to folders are not followed, because they could lead in a circle.
        func visit(_ relative: String) throws {
            let whole = relative.isEmpty ? path : path + "/" + relative
            let names: [String]
            do {
                names = try FileManager.default.contentsOfDirectory(atPath: whole)
            } catch {
                throw Failure(
                    .readOrWriteFailed, whole, "could not be listed: \((error as NSError).localizedDescription)")
            }
            for name in names where !name.hasPrefix(".") {
                let child = relative.isEmpty ? name : relative + "/" + name
                var status = stat()
                let isRealFolder = lstat(path + "/" + child, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
                if isRealFolder {
                    try visit(child)
                } else if PhotographFolder.isPhotograph(name) {
                    found.append(child)
                } else if !others.contains(PhotographFolder.real(path + "/" + child)) {
                    unread.append(child)
                }
            }
        }
        try visit("")
        guard !found.isEmpty else {
            let suffixes = PhotographFolder.bySuffix(unread).sorted { $0.key < $1.key }
            let others = suffixes.isEmpty ? "" : ": " + suffixes.map { "\($1.count) \($0)" }.joined(separator: ", ")
            throw Failure(
                .badData, path,
                "holds no photographs (files ending in .jpg, .jpeg or .png; \(unread.count) other files\(others))")
        }
        photographs = PhotographFolder.sorted(found)
        self.unread = PhotographFolder.sorted(unread)
    }

    /// Whether a name has the suffix of a photograph.
    static func isPhotograph(_ name: String) -> Bool {
        suffixes.contains((name as NSString).pathExtension.lowercased())
    }

    private static func sorted(_ paths: [String]) -> [String] {
        paths.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    }

    private static func real(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
    }

    /// Paths by their suffix in small letters, such as `.tiff`; `no suffix` for names without one.
    static func bySuffix(_ paths: [String]) -> [String: [String]] {
        Dictionary(grouping: paths) { path in
            let suffix = (path as NSString).pathExtension.lowercased()
            return suffix.isEmpty ? "no suffix" : "." + suffix
        }
    }
}
