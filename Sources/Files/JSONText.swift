import Foundation

/// Reads JSON from outside, and describes errors in one sentence.
public enum JSONText {
    /// The bytes of the file at `path`.
    /// - Throws: `Failure`: `.noSuchInput` if there is no file, `.readOrWriteFailed` if it cannot be read, `.badData`
    ///   if it is a git-lfs pointer or a pickle.
    public static func contents(_ path: String) throws -> Data {
        guard FileManager.default.fileExists(atPath: path) else { throw Failure(.noSuchInput, path, "does not exist") }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure(.readOrWriteFailed, path, "could not be read")
        }
        if let foreign = ForeignWeights(data) { throw Failure(.badData, path, foreign.problem) }
        return data
    }

    /// Decodes a value.
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

    /// JSON on one line with sorted keys, so that the same content gives the same bytes.
    /// - Throws: the encoder's error.
    public static func encoded(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// The same content with sorted keys and without spaces, so that the order of keys does not matter.
    /// - Throws: `Failure(.badData)` if the text is not a JSON object.
    public static func canonical(_ text: String, place: String) throws -> String {
        guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw Failure(.badData, place, "is not a JSON object")
        }
        let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }

    /// The keys on the outermost level of an object.
    /// - Throws: `Failure(.badData)` if the bytes are not a JSON object.
    public static func keys(_ data: Data, place: String) throws -> Set<String> {
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw Failure(.badData, place, "is not a JSON object")
        }
        return Set(object.keys)
    }

    private static func isJSON(_ data: Data) -> Bool {
        (try? JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)) != nil
    }

    /// What a decoding error says. The decoder's own words about a value hold the value, so they are an excerpt.
    static func reason(_ context: DecodingError.Context) -> String {
        let text = context.debugDescription
        return text.hasPrefix("Cannot initialize ") ? text.excerpt : text
    }

    /// A type in a user's words.
    static func name(of type: any Any.Type) -> String {
        switch type {
        case is Bool.Type: "true or false"
        case is any BinaryInteger.Type: "a whole number"
        case is any BinaryFloatingPoint.Type: "a number"
        case is String.Type: "a text"
        default: "\(type)" == "Scalar" ? "a single value" : "another kind of value"
        }
    }

    /// A decoding error in one sentence.
    public static func sentence(_ error: any Error) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.map { $0.intValue.map { "entry \($0 + 1)" } ?? $0.stringValue }.joined(separator: ".").excerpt
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return "\(place(context.codingPath + [key])) is missing"
        case DecodingError.typeMismatch(let type, let context):
            return "\(place(context.codingPath)): expected \(name(of: type))"
        case DecodingError.valueNotFound(let type, let context):
            return "\(place(context.codingPath)): expected \(name(of: type)), found nothing"
        case DecodingError.dataCorrupted(let context):
            return context.codingPath.isEmpty
                ? "is not valid JSON" : "\(place(context.codingPath)): \(reason(context))"
        case let failure as Failure:
            return failure.sentence
        default:
            return "is not valid JSON"
        }
    }
}
