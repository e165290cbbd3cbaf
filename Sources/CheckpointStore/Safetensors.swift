import Files
import Foundation
import TensorCore

/// How numbers are stored in a file.
public enum StoredType: String, Codable, Sendable {
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"

    var size: Int { self == .f32 ? 4 : 2 }
}

/// A safetensors file: named tensors and string metadata.
///
/// The format is an 8-byte little-endian length, a JSON header of that length, and the tensors' bytes without gaps.
/// Tensors are written sorted by name, so that the same content gives the same bytes. Reading is strict; see
/// `SafetensorsIndex`.
public struct Safetensors: Sendable {
    public var tensors: [String: Tensor]
    public var metadata: [String: String]

    /// The longest header that is read, in bytes.
    static let longestHeader = 100 << 20

    public init(tensors: [String: Tensor], metadata: [String: String]) {
        self.tensors = tensors
        self.metadata = metadata
    }

    /// The file's bytes, with every tensor stored as `type`.
    public func encoded(as type: StoredType) -> Data {
        var data = Data()
        let sources = tensors.mapValues { tensor in TensorSource(shape: tensor.shape) { tensor } }
        Safetensors.write(sources, metadata: metadata, as: type) { data.append(contentsOf: $0) }
        return data
    }

    /// Hands the file's bytes to `sink` piece by piece, so that only one tensor at a time is in memory.
    /// - Throws: what `sink` throws.
    public static func write(
        _ sources: [String: TensorSource], metadata: [String: String], as type: StoredType,
        to sink: (UnsafeRawBufferPointer) throws -> Void
    ) rethrows {
        let sorted = sources.sorted { $0.key < $1.key }
        var header = #"{"__metadata__":{"#
        header += metadata.keys.sorted().map { "\(jsonString($0)):\(jsonString(metadata[$0] ?? ""))" }.joined(
            separator: ",")
        header += "}"
        var offset = 0
        for (name, source) in sorted {
            let end = offset + source.shape.reduce(type.size, *)
            let shape = source.shape.map(String.init).joined(separator: ",")
            header +=
                """
                ,\(jsonString(name)):{"dtype":"\(type.rawValue)","shape":[\(shape)],"data_offsets":[\(offset),\(end)]}
                """
            offset = end
        }
        header += "}"
        // Spaces fill the header up to a multiple of 8 bytes, so that the data is aligned.
        header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        try withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, sink)
        try Array(header.utf8).withUnsafeBytes(sink)
        for (name, source) in sorted {
            let tensor = source.make()
            if tensor.shape != source.shape {
                fatalError("Safetensors: \(name) is \(tensor.shape), not \(source.shape)")
            }
            try encode(tensor, as: type, to: sink)
        }
    }

    /// Hands a tensor's bytes to `sink`.
    static func encode(_ tensor: Tensor, as type: StoredType, to sink: (UnsafeRawBufferPointer) throws -> Void) rethrows
    {
        try tensor.withUnsafeBuffer { elements in
            switch type {
            case .f32: try sink(UnsafeRawBufferPointer(elements))
            case .f16: try elements.map { Float16($0).bitPattern.littleEndian }.withUnsafeBytes(sink)
            case .bf16: try elements.map(bfloat16).withUnsafeBytes(sink)
            }
        }
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
