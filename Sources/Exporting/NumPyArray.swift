import Files
import Foundation

/// `.npy` files, version 1.0 (NumPy enhancement proposal 1).
enum NumPyArray {
    enum Element {
        case uint8, int16
        /// Text with this number of characters.
        case text(Int)

        var description: String {
            switch self {
            case .uint8: "|u1"
            case .int16: "<i2"
            case .text(let length): "<U\(length)"
            }
        }
    }

    /// The bytes before the elements.
    static func header(_ element: Element, shape: [Int]) -> Data {
        let sides = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        var text = "{'descr': '\(element.description)', 'fortran_order': False, 'shape': (\(sides)), }"
        // Magic, version and length take 10 bytes. The header is padded to a multiple of 64 and ends with a line feed.
        text += String(repeating: " ", count: 63 - (10 + text.utf8.count) % 64) + "\n"
        var data = Data([0x93]) + Data("NUMPY".utf8) + [1, 0]
        withUnsafeBytes(of: UInt16(text.utf8.count).littleEndian) { data.append(contentsOf: $0) }
        return data + Data(text.utf8)
    }

    static func uint8(_ values: [UInt8], shape: [Int]) -> Data { header(.uint8, shape: shape) + values }

    static func int16(_ values: [Int16], shape: [Int]) -> Data {
        values.reduce(into: header(.int16, shape: shape)) { data, value in
            withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
        }
    }

    /// Texts in UTF-32, as in NumPy's `str_`. The array is a scalar where `shape` is empty.
    static func strings(_ values: [String], shape: [Int]) -> Data {
        let length = max(1, values.map(\.unicodeScalars.count).max() ?? 1)
        return values.reduce(into: header(.text(length), shape: shape)) { data, value in
            let scalars =
                value.unicodeScalars.map(\.value) + [UInt32](repeating: 0, count: length - value.unicodeScalars.count)
            for scalar in scalars { withUnsafeBytes(of: scalar.littleEndian) { data.append(contentsOf: $0) } }
        }
    }

    // MARK: - Reading

    /// Reads a header that `header` made.
    /// - Parameter read: gives the next bytes.
    /// - Returns: the array's shape, which is empty where the header is not one that `header` makes, and the number of
    ///   bytes of the header.
    private static func shape(_ read: (Int) throws -> [UInt8]) throws -> (shape: [Int], byteCount: Int) {
        let start = try read(10)
        guard start.count == 10, start.starts(with: [0x93] + Array("NUMPY".utf8)) else { return ([], 10) }
        let length = Int(start[8]) | Int(start[9]) << 8
        let text = String(decoding: try read(length), as: UTF8.self)
        guard let open = text.range(of: "'shape': ("), let close = text[open.upperBound...].firstIndex(of: ")") else {
            return ([], 10 + length)
        }
        let sides = text[open.upperBound..<close].split(separator: ",").compactMap {
            Int($0.trimmingCharacters(in: .whitespaces))
        }
        // A shape that no export has counts as empty, so that no rows are read.
        let isPossible = sides.allSatisfy { (0...1 << 32).contains($0) } && sides.reduce(1.0) { $0 * Double($1) } < 1e15
        return (isPossible ? sides : [], 10 + length)
    }

    /// The results of `body` for each row of an array of bytes. Only one row is in memory at a time.
    static func rows<Result>(_ read: (Int) throws -> [UInt8], _ body: ([UInt8]) -> Result) throws -> [Result] {
        let shape = try shape(read).shape
        let size = shape.dropFirst().reduce(1, *)
        return try (0..<(shape.first ?? 0)).map { _ in
            let row = try read(size)
            guard row.count == size, size > 0 else {
                throw Failure(.badData, nil, "an array is shorter than its header states")
            }
            return body(row)
        }
    }

    /// The text of a scalar.
    /// - Parameter byteCount: the size of the whole file.
    static func text(_ read: (Int) throws -> [UInt8], byteCount: Int) throws -> String {
        let bytes = try read(max(0, byteCount - (try shape(read).byteCount)))
        let scalars = stride(from: 0, to: bytes.count - 3, by: 4).compactMap { place in
            Unicode.Scalar(bytes[place..<place + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        }
        return String(String.UnicodeScalarView(scalars.filter { $0.value != 0 }))
    }
}
