import Files
import Foundation
import TensorCore

extension Safetensors {
    /// Reads a file, strictly.
    ///
    /// - Throws: `Failure` that names the file and what is wrong: too short, header too long or not JSON, duplicate or
    ///   unknown keys, unknown types, shapes that do not fit their bytes, tensors that overlap, leave gaps or lie outside,
    ///   bytes behind the last tensor.
    public init(contentsOf path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            let exists = FileManager.default.fileExists(atPath: path)
            throw Failure(
                exists ? .readOrWriteFailed : .noSuchInput, path, exists ? "could not be read" : "does not exist")
        }
        try self.init(data, path: path)
    }

    /// - Parameter path: the file's name, for errors.
    public init(_ data: Data, path: String) throws {
        func bad(_ sentence: String) -> Failure { Failure(.badData, path, "not a valid safetensors file: \(sentence)") }
        guard data.count >= 8 else { throw bad("expected at least 8 bytes, found \(data.count)") }
        let length = data.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) }
        guard length <= UInt64(Safetensors.longestHeader) else {
            throw bad("header: expected at most \(Safetensors.longestHeader) bytes, found \(length)")
        }
        guard data.count >= 8 + Int(length) else {
            throw bad("header: expected \(length) bytes, found \(data.count - 8)")
        }
        let header: [(String, HeaderValue)]
        do {
            header = try HeaderParser.parse(data.subdata(in: 8..<8 + Int(length)))
        } catch let problem as HeaderParser.Problem {
            throw bad("header: \(problem.sentence)")
        }
        // A slice, which shares the bytes.
        let body = data[(data.startIndex + 8 + Int(length))...]
        var tensors: [String: Tensor] = [:]
        var metadata: [String: String] = [:]
        var ranges: [(Range<Int>, String)] = []
        for (name, value) in header {
            switch value {
            case .metadata(let entries):
                guard name == "__metadata__" else { throw bad("tensor \(name): expected dtype, shape and data_offsets") }
                metadata = entries
            case .tensor(let entry):
                guard name != "__metadata__" else { throw bad("__metadata__: expected strings") }
                guard let type = StoredType(rawValue: entry.type) else {
                    throw bad("tensor \(name): expected dtype F32, F16 or BF16, found \(entry.type)")
                }
                var count = 1
                for size in entry.shape {
                    let (product, overflow) = count.multipliedReportingOverflow(by: size)
                    guard !overflow, product <= data.count else { throw bad("tensor \(name): shape \(entry.shape) is larger than the file") }
                    count = product
                }
                guard entry.start <= entry.end, entry.end <= body.count else {
                    throw bad("tensor \(name): bytes \(entry.start) to \(entry.end) lie outside the file's \(body.count)")
                }
                guard entry.end - entry.start == count * type.size else {
                    throw bad("tensor \(name): shape \(entry.shape) needs \(count * type.size) bytes, found \(entry.end - entry.start)")
                }
                ranges.append((entry.start..<entry.end, name))
                tensors[name] = type.decode(body, entry.start, shape: entry.shape)
            }
        }
        var position = 0
        for (range, name) in ranges.sorted(by: { ($0.0.lowerBound, $0.0.upperBound) < ($1.0.lowerBound, $1.0.upperBound) }) {
            guard range.lowerBound == position else {
                throw bad("tensor \(name): expected to start at byte \(position), found \(range.lowerBound) (overlap or gap)")
            }
            position = range.upperBound
        }
        guard position == body.count else { throw bad("\(body.count - position) bytes behind the last tensor") }
        self.init(tensors: tensors, metadata: metadata)
    }
}

extension StoredType {
    fileprivate func decode(_ body: Data, _ start: Int, shape: [Int]) -> Tensor {
        body.withUnsafeBytes { bytes in
            let own = UnsafeRawBufferPointer(rebasing: bytes[start..<start + size * shape.reduce(1, *)])
            return switch self {
            case .f32: Tensor(float32: own, shape: shape)
            case .f16: Tensor(float16: own, shape: shape)
            case .bf16: Tensor(bfloat16: own, shape: shape)
            }
        }
    }
}
