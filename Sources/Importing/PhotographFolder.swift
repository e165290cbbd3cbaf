import Files
import Foundation

/// The photographs in a folder and in the folders inside it.
package struct PhotographFolder {
    /// Paths relative to the folder, sorted by their bytes.
    package let photographs: [String]
    /// The number of files with other suffixes, without hidden files.
    let ignoredCount: Int

    static let suffixes: Set<String> = ["jpg", "jpeg", "jpe", "png"]

    /// - Throws: `Failure`: `.noSuchInput` if there is no such folder; `.badData` if it is a file or holds no
    ///   photograph; `.readOrWriteFailed` if a folder cannot be listed.
    package init(_ path: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(.noSuchInput, path, "does not exist")
        }
        guard isFolder.boolValue else {
            throw Failure(.badData, path, "is a file; a folder of photographs was expected")
        }
        var found: [String] = [], ignored = 0
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
                } else if PhotographFolder.suffixes.contains((name as NSString).pathExtension.lowercased()) {
                    found.append(child)
                } else {
                    ignored += 1
                }
            }
        }
        try visit("")
        guard !found.isEmpty else {
            throw Failure(
                .badData, path, "holds no photographs (files ending in .jpg, .jpeg or .png; \(ignored) other files)")
        }
        photographs = found.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        ignoredCount = ignored
    }
}
