import Files
import Foundation

extension HDF5Group {
    /// Checks the root attributes `kind` and `version`, which every file of Fovea has.
    /// - Throws: `Failure(.badData)` if one of them is missing or different.
    public func requireKind(_ kind: String, version: Int) throws {
        guard try hasAttribute("kind") else {
            throw Failure(.badData, file, field: "attribute kind of /", expected: kind, found: "none")
        }
        let found = try attributeString("kind")
        guard found == kind else {
            throw Failure(.badData, file, field: "attribute kind of /", expected: kind, found: found)
        }
        let foundVersion = try attributeInt("version")
        guard foundVersion == version else {
            throw Failure(.badData, file, field: "version of \(kind)", expected: "\(version)", found: "\(foundVersion)")
        }
    }

    /// The value of an attribute that is `YES` or `NO`.
    /// - Throws: `Failure(.badData)` if it is missing or says something else.
    public func attributeFlag(_ name: String) throws -> Bool {
        switch try attributeString(name) {
        case "YES": return true
        case "NO": return false
        case let found:
            throw Failure(.badData, file, field: "attribute \(name) of \(path)", expected: "YES or NO", found: found)
        }
    }
}

extension HDF5File {
    /// The attribute `kind` of the file at `path`, such as `fovea.dataset`; nil if an HDF5 file has no such attribute.
    /// - Throws: `Failure`: `.noSuchInput`, `.badData`.
    public static func kind(of path: String) throws -> String? {
        let root = try HDF5File.open(path).root
        return try root.hasAttribute("kind") ? root.attributeString("kind") : nil
    }
}

/// Moments as files store them: ISO 8601 in UTC with whole seconds, such as `2026-01-31T12:00:00Z`.
public enum Timestamp {
    public static func text(_ date: Date) -> String {
        date.formatted(.iso8601)
    }

    /// Reads a moment.
    /// - Throws: `Failure(.badData)` that names `field` and `file`.
    public static func date(_ text: String, field: String, file: String) throws -> Date {
        guard let date = try? Date(text, strategy: .iso8601) else {
            throw Failure(.badData, file, field: field, expected: "a moment such as 2026-01-31T12:00:00Z", found: text)
        }
        return date
    }
}
