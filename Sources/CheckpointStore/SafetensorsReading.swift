import Files
import Foundation
import TensorCore

/// A safetensors file that was checked, whose tensors are decoded when they are asked for.
public struct SafetensorsIndex: Sendable {
    /// One tensor: how its numbers are stored, and where in `body`.
    public struct Entry: Sendable {
        public let name: String
        public let type: StoredType
        public let shape: [Int]
        let range: Range<Int>
    }

    /// Sorted by name.
    public let entries: [Entry]
    public let metadata: [String: String]
    /// What lies behind the header: a slice, which shares the file's bytes.
    private let body: Data

    /// Reads a header, strictly.
    ///
    /// - Parameter path: the file's name, for errors.
    /// - Throws: `Failure` that names the file and what is wrong: too short, header too long or not JSON, duplicate or
    ///   unknown keys, unknown types, shapes that do not fit their bytes, tensors that overlap, leave gaps or lie outside,
    ///   bytes behind the last tensor.
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
        body = data[(data.startIndex + 8 + Int(length))...]
        var entries: [Entry] = []
        var metadata: [String: String] = [:]
        for (name, value) in header {
            switch value {
            case .metadata(let found):
                guard name == "__metadata__" else { throw bad("tensor \(name): expected dtype, shape and data_offsets") }
                metadata = found
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
                entries.append(Entry(name: name, type: type, shape: entry.shape, range: entry.start..<entry.end))
            }
        }
        var position = 0
        for entry in entries.sorted(by: { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }) {
            guard entry.range.lowerBound == position else {
                throw bad("tensor \(entry.name): expected to start at byte \(position), found \(entry.range.lowerBound) (overlap or gap)")
            }
            position = entry.range.upperBound
        }
        guard position == body.count else { throw bad("\(body.count - position) bytes behind the last tensor") }
        self.entries = entries.sorted { $0.name < $1.name }
        self.metadata = metadata
    }

    /// Reads the header of the file at `path`, which is mapped: a copy would be as large as the weights.
    public init(contentsOf path: String) throws { try self.init(try SafetensorsIndex.mapped(path), path: path) }

    static func mapped(_ path: String) throws -> Data {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) else {
            let exists = FileManager.default.fileExists(atPath: path)
            throw Failure(exists ? .readOrWriteFailed : .noSuchInput, path, exists ? "could not be read" : "does not exist")
        }
        return data
    }

    /// All tensors.
    public var tensors: [String: Tensor] { Dictionary(uniqueKeysWithValues: entries.map { ($0.name, tensor($0)) }) }

    /// The tensor's bytes as they are stored.
    func bytes(_ entry: Entry) -> Data {
        body[body.startIndex + entry.range.lowerBound..<body.startIndex + entry.range.upperBound]
    }

    /// Decodes a tensor.
    public func tensor(_ entry: Entry) -> Tensor {
        bytes(entry).withUnsafeBytes { own in
            switch entry.type {
            case .f32: Tensor(float32: own, shape: entry.shape)
            case .f16: Tensor(float16: own, shape: entry.shape)
            case .bf16: Tensor(bfloat16: own, shape: entry.shape)
            }
        }
    }
}

extension Safetensors {
    /// Reads a file, strictly; see `SafetensorsIndex`.
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
        let index = try SafetensorsIndex(data, path: path)
        self.init(tensors: index.tensors, metadata: index.metadata)
    }
}
