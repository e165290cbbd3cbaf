import Files
import Foundation
import TensorCore

/// How numbers are stored.
public enum StoredType: String, Codable, Sendable {
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"

    var size: Int { self == .f32 ? 4 : 2 }
}

/// A safetensors file, whole in memory: named tensors and string metadata.
///
/// Format: an 8-byte little-endian length, a JSON header of that length, then the tensors' bytes without gaps. Written
/// with tensors sorted by name, so that the same content gives the same bytes. Reading is strict; see `init(contentsOf:)`.
public struct Safetensors: Sendable {
    public var tensors: [String: Tensor]
    public var metadata: [String: String]

    /// The longest header that is read.
    static let longestHeader = 100 << 20

    public init(tensors: [String: Tensor], metadata: [String: String]) {
        self.tensors = tensors
        self.metadata = metadata
    }

    /// The file's bytes, with every tensor stored as `type`.
    public func encoded(as type: StoredType) -> Data {
        let names = tensors.keys.sorted()
        var header = #"{"__metadata__":{"#
        header += metadata.keys.sorted().map { "\(jsonString($0)):\(jsonString(metadata[$0] ?? ""))" }.joined(separator: ",")
        header += "}"
        var offset = 0
        for name in names {
            guard let tensor = tensors[name] else { continue }
            let end = offset + tensor.count * type.size
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            header += ",\(jsonString(name)):{\"dtype\":\"\(type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
            offset = end
        }
        header += "}"
        // Spaces up to a multiple of 8, so that the data is aligned.
        header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        var data = Data(capacity: 8 + header.utf8.count + offset)
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(contentsOf: header.utf8)
        for name in names {
            guard let tensor = tensors[name] else { continue }
            tensor.withUnsafeBuffer { elements in
                switch type {
                case .f32:
                    data.append(contentsOf: UnsafeRawBufferPointer(elements))
                case .f16:
                    elements.map { Float16($0).bitPattern.littleEndian }.withUnsafeBytes { data.append(contentsOf: $0) }
                case .bf16:
                    elements.map(bfloat16).withUnsafeBytes { data.append(contentsOf: $0) }
                }
            }
        }
        return data
    }
}

/// The upper half of a float32, rounded to nearest even.
private func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(bits >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16).littleEndian
}

private func jsonString(_ string: String) -> String {
    var result = "\""
    for scalar in string.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case _ where scalar.value < 0x20:
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
