import Files
import Foundation

/// Finds photographs by their path, or by their name alone where only one has that name.
struct PhotographNames {
    private let form: (String) -> String
    private var paths: [String: [String]] = [:]
    private var names: [String: [String]] = [:]

    /// - Parameter form: what is compared of a path or a name.
    init(_ photographs: [String], form: @escaping (String) -> String = { $0 }) {
        self.form = form
        for path in photographs {
            paths[form(path), default: []].append(path)
            names[form((path as NSString).lastPathComponent), default: []].append(path)
        }
    }

    /// The photograph that a row names; nil if there is none.
    /// - Throws: `Failure(.badData)` if there are several.
    func path(for name: String, map: String) throws -> String? {
        var found = paths[name] ?? names[name] ?? []
        if found.isEmpty {
            let plain = PhotographNames.plain(name)
            found = paths[plain] ?? names[plain] ?? []
        }
        guard found.count > 1 else { return found.first }
        throw PhotographNames.several(name, found, map: map)
    }

    static func several(_ name: String, _ found: [String], map: String) -> Failure {
        let choices = found.prefix(5).map { "\"\($0)\"" }.joined(separator: " or ")
        return Failure(
            .badData, map, "\"\(name)\" in the table may be \(choices); write the path in the folder")
    }

    /// A relative path without `.` and `..`; what is no such path stays as it is.
    static func plain(_ name: String) -> String {
        guard name.contains("/"), !name.hasPrefix("/"), !name.hasPrefix("file:") else { return name }
        return parts(name).joined(separator: "/")
    }

    /// The folders and the name in a path of Unix or Windows, or in a `file://` address.
    static func parts(_ path: String) -> [String] {
        var path = path
        if path.lowercased().hasPrefix("file:") {
            path = String(path.dropFirst(5))
            path = path.removingPercentEncoding ?? path
        }
        var parts: [String] = []
        for part in path.split(whereSeparator: { $0 == "/" || $0 == "\\" }).map(String.init) where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts
    }
}

/// Finds photographs whose path a table writes in other words: as a path of another machine, with folders above the
/// imported one, in other capitals, or with another suffix for the same kind of file.
struct LooseNames {
    private struct Entry {
        let path: String
        /// The folders and the name, as they are compared.
        let parts: [String]
    }

    private var entries: [String: [Entry]] = [:]
    /// The parts of the imported folder's own path.
    private let above: [String]

    init(_ photographs: [String], folder: String) {
        above = PhotographNames.parts(URL(fileURLWithPath: folder).standardizedFileURL.path).map(LooseNames.form)
        for path in photographs {
            let parts = path.split(separator: "/").map { LooseNames.form(String($0)) }
            guard let name = parts.last else { continue }
            entries[name, default: []].append(Entry(path: path, parts: parts))
        }
    }

    /// The photograph that a row means, if the shorter of the two paths is the end of the longer one.
    /// - Returns: the photograph, and the number of folders in which the row agrees with the place where it lies now.
    /// - Throws: `Failure(.badData)` if several agree alike.
    func match(_ name: String, map: String) throws -> (path: String, agreement: Int)? {
        let wanted = PhotographNames.parts(name).map(LooseNames.form)
        guard let last = wanted.last else { return nil }
        let found = (entries[last] ?? []).filter { entry in
            let length = min(entry.parts.count, wanted.count)
            return entry.parts.suffix(length).elementsEqual(wanted.suffix(length))
        }.map { entry in
            (path: entry.path, agreement: LooseNames.agreement(above + entry.parts, wanted))
        }
        guard let most = found.map(\.agreement).max() else { return nil }
        let best = found.filter { $0.agreement == most }
        guard best.count == 1 else { throw PhotographNames.several(name, best.map(\.path), map: map) }
        return best[0]
    }

    private static func agreement(_ one: [String], _ other: [String]) -> Int {
        zip(one.reversed(), other.reversed()).prefix { $0 == $1 }.count
    }

    private static func form(_ part: String) -> String {
        let small = part.lowercased()
        guard let dot = small.lastIndex(of: ".") else { return small }
        return switch small[dot...] {
        case ".jpeg", ".jpe": small[..<dot] + ".jpg"
        case ".tiff": small[..<dot] + ".tif"
        default: small
        }
    }
}
