import Foundation

/// JSON from outside, with errors in one sentence.
public enum JSONText {
    /// The bytes of the file at `path`.
    /// - Throws: `Failure`: `.noSuchInput`, `.readOrWriteFailed`.
    public static func contents(_ path: String) throws -> Data {
        guard FileManager.default.fileExists(atPath: path) else { throw Failure(.noSuchInput, path, "does not exist") }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure(.readOrWriteFailed, path, "could not be read")
        }
        return data
    }

    /// - Throws: `Failure(.badData)` that names the key.
    public static func decode<Value: Decodable>(_ type: Value.Type, _ data: Data, place: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch let DecodingError.dataCorrupted(context) where context.codingPath.isEmpty && isJSON(data) {
            // Foundation says of such a number that the whole text is no JSON.
            throw Failure(
                .badData, place, "holds a number that is too large, or has a fraction where a whole one belongs")
        } catch {
            throw Failure(.badData, place, sentence(error))
        }
    }

    /// JSON with sorted keys and one line: the same sorted keys are the same bytes.
    public static func encoded(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// The same content in one form, whatever the order of keys.
    /// - Throws: `Failure(.badData)` where it is no JSON object.
    public static func canonical(_ text: String, place: String) throws -> String {
        guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw Failure(.badData, place, "is not a JSON object")
        }
        let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }

    /// The keys on the outermost level.
    public static func keys(_ data: Data, place: String) throws -> Set<String> {
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw Failure(.badData, place, "is not a JSON object")
        }
        return Set(object.keys)
    }

    private static func isJSON(_ data: Data) -> Bool {
        (try? JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)) != nil
    }

    /// A decoding error in one sentence.
    public static func sentence(_ error: any Error) -> String {
        func place(_ path: [any CodingKey]) -> String { path.map(\.stringValue).joined(separator: ".") }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return "\(place(context.codingPath + [key])) is missing"
        case DecodingError.typeMismatch(let type, let context):
            return "\(place(context.codingPath)): expected \(type)"
        case DecodingError.valueNotFound(let type, let context):
            return "\(place(context.codingPath)): expected \(type), found nothing"
        case DecodingError.dataCorrupted(let context):
            return context.codingPath.isEmpty
                ? "is not valid JSON" : "\(place(context.codingPath)): \(context.debugDescription)"
        case let failure as Failure:
            return failure.sentence
        default:
            return "is not valid JSON"
        }
    }
}
