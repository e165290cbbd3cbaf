import Foundation
import Yams

/// A configuration file: YAML over the defaults of a `Codable` struct.
public enum Configuration {
    /// Reads `yaml` over `defaults`: what it does not name keeps its default.
    ///
    /// - Parameters:
    ///   - name: the file's name, for errors.
    ///   - defaults: every key must be present in its encoded form, so the struct has no optional fields.
    /// - Throws: `Failure(.badData)` for text that is not YAML, anchors and aliases, keys that `defaults` lacks, and
    ///   values of another kind, with file and line.
    public static func decode<Value: Codable>(_ yaml: String, name: String, over defaults: Value) throws -> Value {
        guard let given = try YAMLText.parse(yaml, name: name) else { return defaults }
        guard let known = try Yams.compose(yaml: YAMLEncoder().encode(defaults)) else { return defaults }
        let merged = try merge(given, over: known, path: [], name: name)
        do {
            return try YAMLDecoder().decode(Value.self, from: Yams.serialize(node: merged))
        } catch let DecodingError.dataCorrupted(context) {
            throw Failure(.badData, name, "\(place(context.codingPath)): \(context.debugDescription)")
        } catch let DecodingError.typeMismatch(type, context) {
            throw Failure(.badData, name, "\(place(context.codingPath)): expected \(type)")
        } catch {
            throw Failure(.badData, name, "could not be read: \(error)")
        }
    }

    /// Reads the file at `path`; see `decode`.
    public static func read<Value: Codable>(_ path: String, over defaults: Value) throws -> Value {
        try decode(try text(path), name: path, over: defaults)
    }

    /// The keys that the file at `path` names, on the outermost level.
    public static func keys(_ path: String) throws -> Set<String> {
        Set(try YAMLText.parse(try text(path), name: path)?.mapping?.keys.compactMap(\.string) ?? [])
    }

    private static func text(_ path: String) throws -> String {
        guard FileManager.default.fileExists(atPath: path) else { throw Failure(.noSuchInput, path, "does not exist") }
        guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8)
        else {
            throw Failure(.badData, path, "is not UTF-8 text")
        }
        return text
    }

    /// The resolved configuration as YAML with sorted keys.
    public static func yaml(_ value: some Encodable) throws -> String {
        let encoder = YAMLEncoder()
        encoder.options.sortKeys = true
        return try encoder.encode(value)
    }

    private static func place(_ path: [any CodingKey]) -> String { path.map(\.stringValue).joined(separator: ".") }

    private static func merge(_ given: Node, over known: Node, path: [String], name: String) throws -> Node {
        let line = given.mark.map { "\(name) line \($0.line)" } ?? name
        guard case .mapping(var target) = known else { return given }
        guard case .mapping(let source) = given else {
            let field = path.isEmpty ? "the whole file" : path.joined(separator: ".")
            throw Failure(.badData, line, field: field, expected: "keys and values", found: "something else")
        }
        for (key, value) in source {
            let keyName = key.string ?? "?"
            guard let current = target[key] else {
                let all = known.mapping?.keys.compactMap(\.string).sorted().joined(separator: ", ") ?? ""
                throw Failure(
                    .badData, key.mark.map { "\(name) line \($0.line)" } ?? name,
                    "unknown key \((path + [keyName]).joined(separator: ".")); known are \(all)")
            }
            target[key] = try merge(value, over: current, path: path + [keyName], name: name)
        }
        return .mapping(target)
    }
}
