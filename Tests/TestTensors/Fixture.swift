import Foundation
import TensorCore
import Testing

/// A safetensors file made by `Tools/reference`: inputs in float32, expected results in float64, and how it was made.
///
/// Read without the product's own reader, so that a fault there cannot hide a fault here.
public struct Fixture {
    /// A tensor of the file, in float64 whatever it was stored as.
    public struct Stored {
        public let shape: [Int]
        public let values: [Double]
    }

    public let name: String
    public let tensors: [String: Stored]
    /// The entry `fovea.fixture` of the metadata: script, versions, parameters.
    public let birthCertificate: [String: Any]

    public var operation: String { birthCertificate["operation"] as? String ?? "" }
    public var parameters: [String: Any] { birthCertificate["parameters"] as? [String: Any] ?? [:] }

    public struct Unreadable: Error {
        let path: String
    }

    public init(_ url: URL) throws {
        name = url.deletingPathExtension().lastPathComponent
        let data = try Data(contentsOf: url)
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard data.count >= 8 + length,
            var header = try JSONSerialization.jsonObject(with: data.subdata(in: 8..<8 + length)) as? [String: Any],
            let metadata = header.removeValue(forKey: "__metadata__") as? [String: String],
            let certificate = metadata["fovea.fixture"],
            let parsed = try JSONSerialization.jsonObject(with: Data(certificate.utf8)) as? [String: Any]
        else { throw Unreadable(path: url.path) }
        birthCertificate = parsed
        let body = data.subdata(in: 8 + length..<data.count)
        tensors = try header.mapValues { entry in
            guard let entry = entry as? [String: Any], let type = entry["dtype"] as? String,
                let shape = entry["shape"] as? [Int], let offsets = entry["data_offsets"] as? [Int]
            else { throw Unreadable(path: url.path) }
            let count = shape.reduce(1, *)
            return try body.withUnsafeBytes { bytes in
                func read<T>(_ type: T.Type, _ convert: (T) -> Double) -> [Double] {
                    (0..<count).map {
                        convert(bytes.loadUnaligned(fromByteOffset: offsets[0] + $0 * MemoryLayout<T>.size, as: T.self))
                    }
                }
                switch type {
                case "F64": return Stored(shape: shape, values: read(Double.self) { $0 })
                case "F32": return Stored(shape: shape, values: read(Float.self) { Double($0) })
                case "I64": return Stored(shape: shape, values: read(Int64.self) { Double($0) })
                default: throw Unreadable(path: url.path)
                }
            }
        }
    }

    /// All fixtures of a folder `Fixtures/<folder>` beside the calling test, by name.
    public static func all(in folder: String = "", prefix: String = "", file: String = #filePath) throws -> [Fixture] {
        let url = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Fixtures")
            .appendingPathComponent(folder)
        return try FileManager.default.contentsOfDirectory(at: url, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "safetensors" && $0.lastPathComponent.hasPrefix(prefix) }
            .sorted { $0.path < $1.path }.map(Fixture.init)
    }

    /// The tensor `name`, which must be there.
    public subscript(name: String) -> Stored {
        guard let stored = tensors[name] else { fatalError("fixture \(self.name) has no tensor \(name)") }
        return stored
    }
}

extension Fixture.Stored {
    public var tensor: Tensor { Tensor(values.map { Float($0) }, shape: shape) }
}

extension Fixture: CustomTestStringConvertible {
    public var testDescription: String { name }
}
