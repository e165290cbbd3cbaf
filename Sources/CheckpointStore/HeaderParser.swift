import Foundation

/// One entry of a safetensors header.
enum HeaderValue {
    struct TensorEntry {
        var type = ""
        var shape: [Int] = []
        var start = 0
        var end = 0
    }

    case tensor(TensorEntry)
    case metadata([String: String])
}

/// Reads a safetensors header, and refuses everything else that JSON allows.
///
/// A general JSON reader keeps one of two equal keys and says nothing, so that one file could mean two things.
struct HeaderParser {
    struct Problem: Error {
        let sentence: String
    }

    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func parse(_ data: Data) throws -> [(String, HeaderValue)] {
        var parser = HeaderParser(Array(data))
        let result =
            try parser.object { parser, key in
                key == "__metadata__"
                    ? .metadata(try parser.metadata())
                    : .tensor(try parser.tensor(key))
            } as [(String, HeaderValue)]
        parser.skipSpace()
        guard parser.position == parser.bytes.count else { throw Problem(sentence: "text behind the JSON object") }
        return result
    }

    private mutating func metadata() throws -> [String: String] {
        Dictionary(uniqueKeysWithValues: try object { parser, _ in try parser.string() })
    }

    private mutating func tensor(_ name: String) throws -> HeaderValue.TensorEntry {
        var entry = HeaderValue.TensorEntry()
        let keys =
            try object { parser, key in
                switch key {
                case "dtype": entry.type = try parser.string()
                case "shape": entry.shape = try parser.integers()
                case "data_offsets":
                    let offsets = try parser.integers()
                    guard offsets.count == 2 else {
                        throw Problem(sentence: "\(name): expected two data_offsets, found \(offsets.count)")
                    }
                    (entry.start, entry.end) = (offsets[0], offsets[1])
                default: throw Problem(sentence: "\(name): unknown key \(key)")
                }
            } as [(String, Void)]
        guard keys.count == 3 else { throw Problem(sentence: "\(name): expected dtype, shape and data_offsets") }
        return entry
    }

    private mutating func object<Value>(_ value: (inout HeaderParser, String) throws -> Value) throws -> [(
        String, Value
    )] {
        try expect("{")
        var result: [(String, Value)] = []
        var keys: Set<String> = []
        if take("}") { return result }
        repeat {
            let key = try string()
            guard keys.insert(key).inserted else { throw Problem(sentence: "key \(key) occurs twice") }
            try expect(":")
            result.append((key, try value(&self, key)))
        } while take(",")
        try expect("}")
        return result
    }

    private mutating func integers() throws -> [Int] {
        try expect("[")
        var result: [Int] = []
        if take("]") { return result }
        repeat {
            skipSpace()
            let start = position
            while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
            guard position > start, position - start <= 18,
                let number = Int(String(decoding: bytes[start..<position], as: UTF8.self))
            else {
                throw Problem(sentence: "expected a whole number at byte \(start)")
            }
            result.append(number)
        } while take(",")
        try expect("]")
        return result
    }

    private mutating func string() throws -> String {
        skipSpace()
        let start = position
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            throw Problem(sentence: "expected a string at byte \(position)")
        }
        position += 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < bytes.count else {
            throw Problem(sentence: "a string that starts at byte \(start) does not end")
        }
        position += 1
        let inner = bytes[start + 1..<position - 1]
        if !inner.contains(where: { $0 == UInt8(ascii: "\\") || $0 < 0x20 }) {
            guard let plain = String(validating: inner, as: UTF8.self) else {
                throw Problem(sentence: "the string at byte \(start) is not UTF-8")
            }
            return plain
        }
        guard
            let decoded = try? JSONDecoder().decode(
                [String].self, from: Data("[".utf8) + bytes[start..<position] + Data("]".utf8)),
            let string = decoded.first
        else { throw Problem(sentence: "the string at byte \(start) is not valid JSON") }
        return string
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws {
        guard take(character) else { throw Problem(sentence: "expected \(character) at byte \(position)") }
    }
}
