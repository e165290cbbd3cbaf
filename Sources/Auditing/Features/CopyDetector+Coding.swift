import Files
import Foundation
import Networks
import TensorCore

// A detector on disk, little-endian: 8 bytes "FOVEA-CD", UInt32 version, UInt32 length of the configuration, the
// configuration (JSON), all parameters in the order of registration (float32), and the SHA-256 of everything before it.

extension CopyDetector {
    private static let mark = Array("FOVEA-CD".utf8), version: UInt32 = 1, digestLength = 32

    /// The detector's bytes. The same detector gives the same bytes.
    package func encoded() -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let text = try? encoder.encode(configuration) else {
            fatalError("CopyDetector: a configuration that is no JSON")
        }
        var data = Data(Self.mark)
        func append(_ value: UInt32) { withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) } }
        append(Self.version)
        append(UInt32(text.count))
        data.append(text)
        for tensor in parameters.tensors {
            for value in tensor.elements { append(value.bitPattern) }
        }
        data.append(contentsOf: Digest(of: data).bytes)
        return data
    }

    /// Reads a detector's bytes.
    /// - Throws: `Failure(.badData)` where the bytes are not those of a whole and unchanged detector.
    package init(decoding data: Data) throws {
        let bytes = [UInt8](data), start = Self.mark.count + 8
        func damaged(_ what: String) -> Failure {
            Failure(
                .badData, nil, "the copy detector's file \(what); delete it, and the audit trains the detector again")
        }
        func number(at place: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) } }
        guard bytes.count >= start + Self.digestLength, bytes.starts(with: Self.mark) else {
            throw damaged("is cut off, or is not a detector's")
        }
        let found = number(at: Self.mark.count)
        guard found == Self.version else { throw damaged("has version \(found) where \(Self.version) was expected") }
        let end = bytes.count - Self.digestLength
        guard Digest(of: bytes[..<end]).bytes == Array(bytes[end...]) else {
            throw damaged("is damaged: its digest differs")
        }
        let length = Int(number(at: Self.mark.count + 4))
        guard length <= end - start,
            let configuration = try? JSONDecoder().decode(
                CopyDetectorConfiguration.self, from: Data(bytes[start..<start + length]))
        else { throw damaged("has a configuration that cannot be read") }
        if let problem = configuration.problem { throw damaged("has a configuration out of range (\(problem))") }
        let specifications = DetectorNetwork(configuration).specifications
        let counts = specifications.map { $0.shape.reduce(1, *) }
        var place = start + length
        guard end - place == 4 * counts.reduce(0, +) else {
            throw damaged("holds \(end - place) bytes of parameters where \(4 * counts.reduce(0, +)) were expected")
        }
        var tensors: [Tensor] = []
        for (specification, count) in zip(specifications, counts) {
            let values = (0..<count).map { Float(bitPattern: number(at: place + 4 * $0)) }
            guard values.allSatisfy(\.isFinite) else {
                throw damaged("holds \(specification.path) with a number that is not finite")
            }
            tensors.append(Tensor(values, shape: specification.shape))
            place += 4 * count
        }
        self.init(configuration, ParameterMap(specifications, tensors: tensors))
    }
}
