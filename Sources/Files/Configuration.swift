import Foundation
import Yams

/// Configuration files: YAML that overrides the defaults of a `Codable` struct.
public enum Configuration {
    /// Reads `yaml` over `defaults`: a key that the text does not name keeps its default.
    ///
    /// - Parameters:
    ///   - name: the file's name, for errors.
    ///   - defaults: a struct without optional fields, since every key must be present in its encoded form.
    /// - Throws: `Failure(.badData)` for text that is not YAML, anchors and aliases, keys that `defaults` lacks, and
    ///   values of another type. The failure names the file, and the line or the key.
    public static func decode<Value: Codable>(_ yaml: String, name: String, over defaults: Value) throws -> Value {
        guard let given = try YAMLText.parse(yaml, name: name) else { return defaults }
        guard let known = try Yams.compose(yaml: YAMLEncoder().encode(defaults)) else { return defaults }
        let merged = try merge(given, over: known, path: [], name: name)
        do {
            return try YAMLDecoder().decode(Value.self, from: Yams.serialize(node: merged))
        } catch let DecodingError.dataCorrupted(context) {
            throw Failure(.badData, name, "\(place(context.codingPath)): \(JSONText.reason(context))")
        } catch let DecodingError.typeMismatch(type, context) {
            throw Failure(.badData, name, "\(place(context.codingPath)): expected \(JSONText.name(of: type))")
        } catch {
            throw Failure(.badData, name, "could not be read: \("\(error)".excerpt)")
        }
    }

    /// Reads the file at `path` over `defaults`, as `decode` does.
    /// - Throws: `Failure`: `.noSuchInput`; `.badData` for text that is not UTF-8 and for what `decode` refuses.
    public static func read<Value: Codable>(_ path: String, over defaults: Value) throws -> Value {
        try decode(try text(path), name: path, over: defaults)
    }

    /// The keys on the outermost level of the file at `path`.
    /// - Throws: `Failure`: `.noSuchInput`; `.badData` for a file that is not UTF-8 text or not YAML.
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

    /// A resolved configuration as YAML with sorted keys, and with numbers as people write them.
    /// - Throws: the encoder's error.
    public static func yaml(_ value: some Encodable) throws -> String {
        let encoder = YAMLEncoder()
        encoder.options.sortKeys = true
        let text = try encoder.encode(value)
        guard let node = try Yams.compose(yaml: text) else { return text }
        return try Yams.serialize(node: withReadableNumbers(node), sortKeys: true)
    }

    /// The encoder writes 0.99 as `9.9e-1` and 1 as `1e+0`. The digits stay, so that the numbers stay.
    private static func withReadableNumbers(_ node: Node) -> Node {
        switch node {
        case .scalar(let scalar):
            guard scalar.style == .plain || scalar.style == .any, Resolver.default.resolveTag(of: node) == .float,
                let number = Double(scalar.string), number.isFinite
            else { return node }
            let isWhole = number == number.rounded() && abs(number) < 1e15
            let text = isWhole ? "\(Int(number))" : "\(number)".replacingOccurrences(of: "e-0", with: "e-")
            return .scalar(Node.Scalar(text, Tag(.float), scalar.style))
        case .sequence(let sequence):
            return .sequence(
                Node.Sequence(sequence.map(withReadableNumbers), sequence.tag, sequence.style, sequence.mark))
        case .mapping(let mapping):
            return .mapping(
                Node.Mapping(
                    mapping.map { ($0.key, withReadableNumbers($0.value)) }, mapping.tag, mapping.style, mapping.mark))
        default: return node
        }
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
                    "unknown key \((path + [keyName]).joined(separator: ".").excerpt); known are \(all)")
            }
            target[key] = try merge(value, over: current, path: path + [keyName], name: name)
        }
        return .mapping(target)
    }
}
