import Cryptography
import Foundation

/// A SHA-256 digest.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// The digest of `data`.
    public init(of data: some DataProtocol) {
        bytes = SHA256.hash(of: data)
    }

    /// The digest of a file's bytes, read 1 MiB at a time.
    /// - Parameters:
    ///   - offset: the place of the first byte that is read.
    ///   - shownAs: the file's name in errors; nil for `path`.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public init(ofFile path: String, from offset: Int = 0, shownAs: String? = nil) throws {
        var builder = DigestBuilder()
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            try file.seek(toOffset: UInt64(offset))
            while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty { builder.update(piece) }
        } catch {
            throw StagedFile.failure(shownAs ?? path, error, "read")
        }
        self = builder.finalize()
    }

    /// Takes the bytes of a stored digest.
    /// - Returns: nil unless there are exactly 32 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// 64 lower-case hexadecimal digits.
    public var description: String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// The first digits in groups of four, such as `3f2a-91bc`, for people who compare digests.
    public func grouped(_ count: Int) -> String {
        let digits = Array(description.prefix(count))
        return stride(from: 0, to: digits.count, by: 4).map { String(digits[$0..<min($0 + 4, digits.count)]) }
            .joined(separator: "-")
    }

    /// Reads a digest from 64 lower-case hexadecimal digits.
    /// - Throws: `Failure(.badData)` that names `field` and `file`.
    public init(hexadecimal text: String, field: String, file: String) throws {
        let digits = Array(text.utf8)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
        }
        guard digits.count == 64, let digest = Digest(bytes: bytes), digest.description == text else {
            throw Failure(.badData, file, field: field, expected: "64 hexadecimal digits", found: text)
        }
        self = digest
    }
}

extension Digest: Codable {
    /// Reads a digest from its hexadecimal digits.
    /// - Throws: `Failure(.badData)` for other text; the decoder's error.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        try self.init(
            hexadecimal: text, field: decoder.codingPath.map(\.stringValue).joined(separator: "."), file: "JSON")
    }

    /// Writes the hexadecimal digits.
    /// - Throws: the encoder's error.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
