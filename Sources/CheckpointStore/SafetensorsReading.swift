import Files
import Foundation
import TensorCore

/// A checked safetensors file, whose tensors are read and decoded when they are asked for.
public struct SafetensorsIndex: Sendable {
    /// One tensor: how its numbers are stored, and where they are in `body`.
    public struct Entry: Sendable {
        public let name: String
        public let type: StoredType
        public let shape: [Int]
        let range: Range<Int>

        public var count: Int { shape.reduce(1, *) }
    }

    /// Sorted by name.
    public let entries: [Entry]
    public let metadata: [String: String]
    /// The bytes behind the header.
    private let body: Body

    private enum Body: Sendable {
        /// A slice that shares the file's bytes.
        case memory(Data)
        /// The open file, and where the first tensor starts in it. None of the file's bytes are kept in memory.
        case file(OpenFile, start: Int, path: String)
    }

    /// Reads a header strictly.
    ///
    /// - Parameter path: the file's name, for errors.
    /// - Throws: `Failure(.badData)` that names the file and what is wrong: it is too short, its header is too long
    ///   or not JSON, keys are duplicate or unknown, types are unknown, shapes do not fit their bytes, tensors overlap,
    ///   leave gaps or lie outside, or there are bytes behind the last tensor.
    public init(_ data: Data, path: String) throws {
        let data = data.startIndex == 0 ? data : Data(data)
        try self.init(size: data.count, path: path) {
            data.subdata(in: $0)
        } body: {
            .memory(data[$0...])
        }
    }

    /// Reads the header of the file at `path`. The file stays open, and tensors are read when they are asked for.
    /// - Throws: `Failure`: `.noSuchInput`, `.readOrWriteFailed`, `.badData` as the other initialiser.
    public init(contentsOf path: String) throws {
        let file = try OpenFile(path)
        try self.init(size: file.size, path: path) {
            try file.bytes($0, path: path)
        } body: {
            .file(file, start: $0, path: path)
        }
    }

    /// - Parameters:
    ///   - read: reads a range of the file's `size` bytes.
    ///   - body: makes the body from the place where it starts.
    private init(size: Int, path: String, read: (Range<Int>) throws -> Data, body: (Int) -> Body) throws {
        func bad(_ sentence: String) -> Failure { Failure(.badData, path, "not a valid safetensors file: \(sentence)") }
        if let foreign = ForeignWeights(try read(0..<min(256, size))) { throw Failure(.badData, path, foreign.problem) }
        guard size >= 8 else { throw bad("expected at least 8 bytes, found \(size)") }
        let length = try read(0..<8).enumerated().reduce(UInt64(0)) {
            $0 | UInt64($1.element) << (8 * UInt64($1.offset))
        }
        guard length <= UInt64(Safetensors.longestHeader) else {
            throw bad("header: expected at most \(Safetensors.longestHeader) bytes, found \(length)")
        }
        guard size >= 8 + Int(length) else {
            throw bad("header: expected \(length) bytes, found \(size - 8)")
        }
        let header: [(String, HeaderValue)]
        do {
            header = try HeaderParser.parse(try read(8..<8 + Int(length)))
        } catch let problem as HeaderParser.Problem {
            throw bad("header: \(problem.sentence)")
        }
        self.body = body(8 + Int(length))
        let bodySize = size - 8 - Int(length)
        var entries: [Entry] = []
        var metadata: [String: String] = [:]
        for (name, value) in header {
            switch value {
            case .metadata(let found):
                guard name == "__metadata__" else {
                    throw bad("tensor \(name): expected dtype, shape and data_offsets")
                }
                metadata = found
            case .tensor(let entry):
                guard name != "__metadata__" else { throw bad("__metadata__: expected strings") }
                guard let type = StoredType(rawValue: entry.type) else {
                    throw bad("tensor \(name): expected dtype F32, F16 or BF16, found \(entry.type)")
                }
                var count = 1
                for side in entry.shape {
                    let (product, overflow) = count.multipliedReportingOverflow(by: side)
                    guard !overflow, product <= size else {
                        throw bad("tensor \(name): shape \(entry.shape) is larger than the file")
                    }
                    count = product
                }
                guard entry.start <= entry.end, entry.end <= bodySize else {
                    throw bad("tensor \(name): bytes \(entry.start) to \(entry.end) lie outside the file's \(bodySize)")
                }
                guard entry.end - entry.start == count * type.size else {
                    throw bad(
                        """
                        tensor \(name): shape \(entry.shape) needs \(count * type.size) bytes, found \
                        \(entry.end - entry.start)
                        """
                    )
                }
                entries.append(Entry(name: name, type: type, shape: entry.shape, range: entry.start..<entry.end))
            }
        }
        var position = 0
        for entry in entries.sorted(by: {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }) {
            guard entry.range.lowerBound == position else {
                throw bad(
                    """
                    tensor \(entry.name): expected to start at byte \(position), found \(entry.range.lowerBound) \
                    (overlap or gap)
                    """
                )
            }
            position = entry.range.upperBound
        }
        guard position == bodySize else { throw bad("\(bodySize - position) bytes behind the last tensor") }
        self.entries = entries.sorted { $0.name < $1.name }
        self.metadata = metadata
    }

    /// All tensors by name.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func tensors() throws -> [String: Tensor] {
        let count = entries.reduce(0) { $0 + $1.count }
        try MemoryFigures.requireRoom(
            count * MemoryLayout<Float>.stride, for: "\(count) parameters", place: nil, advice: "take a smaller model")
        return Dictionary(uniqueKeysWithValues: try entries.map { ($0.name, try tensor($0)) })
    }

    /// The bytes of a tensor's numbers as they are stored.
    /// - Parameter numbers: the numbers that are wanted, row-major; nil for all.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func bytes(_ entry: Entry, _ numbers: Range<Int>? = nil) throws -> Data {
        let numbers = numbers ?? 0..<entry.count, first = entry.range.lowerBound
        let range = first + numbers.lowerBound * entry.type.size..<first + numbers.upperBound * entry.type.size
        switch body {
        case .memory(let data): return data[data.startIndex + range.lowerBound..<data.startIndex + range.upperBound]
        case .file(let file, let start, let path):
            return try file.bytes(start + range.lowerBound..<start + range.upperBound, path: path)
        }
    }

    /// Decodes a tensor.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func tensor(_ entry: Entry) throws -> Tensor { entry.decoded(try bytes(entry), shape: entry.shape) }
}

extension SafetensorsIndex.Entry {
    /// Decodes numbers of this entry's type.
    public func decoded(_ bytes: Data, shape: [Int]) -> Tensor {
        bytes.withUnsafeBytes { own in
            switch type {
            case .f32: Tensor(float32: own, shape: shape)
            case .f16: Tensor(float16: own, shape: shape)
            case .bf16: Tensor(bfloat16: own, shape: shape)
            }
        }
    }
}

/// A file that is open for reading. It is read and not mapped. If a USB stick is pulled out, reading thus gives an
/// error, and what was read of a large file does not stay in memory.
private final class OpenFile: Sendable {
    private let descriptor: Int32
    let size: Int

    /// - Throws: `Failure`: `.noSuchInput`; `.readOrWriteFailed`; `.badData` if it is not a regular file.
    init(_ path: String) throws {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let isMissing = errno == ENOENT
            throw isMissing ? Failure(.noSuchInput, path, "does not exist") : StagedFile.failure(path, nil, "read")
        }
        var found = stat()
        guard fstat(descriptor, &found) == 0, found.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw Failure(.badData, path, "is a folder or a device, and a file is expected")
        }
        size = Int(found.st_size)
    }

    deinit { close(descriptor) }

    func bytes(_ range: Range<Int>, path: String) throws -> Data {
        var data = Data(count: range.count)
        try data.withUnsafeMutableBytes { target in
            var done = 0
            while done < range.count {
                let read = pread(
                    descriptor, target.baseAddress.map { $0 + done }, range.count - done, off_t(range.lowerBound + done)
                )
                if read < 0, errno == EINTR { continue }
                guard read > 0 else {
                    throw read == 0
                        ? Failure(.readOrWriteFailed, path, "ended while it was read")
                        : StagedFile.failure(path, nil, "read")
                }
                done += read
            }
        }
        return data
    }
}

extension Safetensors {
    /// Reads a file strictly; see `SafetensorsIndex`.
    /// - Throws: `Failure`: `.noSuchInput`, `.readOrWriteFailed`, `.badData`.
    public init(contentsOf path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            let exists = FileManager.default.fileExists(atPath: path)
            throw Failure(
                exists ? .readOrWriteFailed : .noSuchInput, path, exists ? "could not be read" : "does not exist")
        }
        try self.init(data, path: path)
    }

    /// Reads the bytes of a file strictly; see `SafetensorsIndex`.
    /// - Parameter path: the file's name, for errors.
    /// - Throws: `Failure(.badData)`.
    public init(_ data: Data, path: String) throws {
        let index = try SafetensorsIndex(data, path: path)
        self.init(tensors: try index.tensors(), metadata: index.metadata)
    }
}
