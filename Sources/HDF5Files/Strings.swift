import CHDF5
import Files
import Foundation

/// Reads `count` strings of `type` through `read`, which receives the type in memory and a buffer.
///
/// - Parameter limit: the most bytes that may be allocated, because a hostile file can claim any length.
@HDF5Actor
func readStrings(
    _ type: Datatype, count: Int, limit: Int, what: String, file: String,
    _ read: (hid_t, UnsafeMutableRawPointer) -> herr_t
) throws -> [String] {
    switch type.description {
    case .fixedString(let bytes):
        return try readFixed(type, bytes: bytes, count: count, limit: limit, what: what, file: file, read)
    case .variableString:
        return try readVariable(type, count: count, limit: limit, what: what, file: file, read)
    case let found:
        throw Failure(.badData, file, field: what, expected: "strings", found: "\(found)")
    }
}

@HDF5Actor
private func readFixed(
    _ type: Datatype, bytes: Int, count: Int, limit: Int, what: String, file: String,
    _ read: (hid_t, UnsafeMutableRawPointer) -> herr_t
) throws -> [String] {
    let (total, overflow) = bytes.multipliedReportingOverflow(by: count)
    guard !overflow, total <= limit else {
        throw Failure(
            .badData, file, field: what, expected: "at most \(limit) bytes", found: "\(count) strings of \(bytes)")
    }
    guard total > 0 else { return [] }
    var buffer = [UInt8](repeating: 0, count: total)
    try HDF5Library.call(.badData, file, "\(what) could not be read") {
        buffer.withUnsafeMutableBytes { $0.baseAddress.map { read(type.id, $0) } ?? -1 }
    }
    return try (0..<count).map { index in
        let text = buffer[index * bytes..<(index + 1) * bytes].prefix { $0 != 0 }
        return try utf8(text, what, file)
    }
}

@HDF5Actor
private func readVariable(
    _ type: Datatype, count: Int, limit: Int, what: String, file: String,
    _ read: (hid_t, UnsafeMutableRawPointer) -> herr_t
) throws -> [String] {
    guard count <= limit / MemoryLayout<UnsafeMutablePointer<CChar>>.size else {
        throw Failure(.badData, file, field: what, expected: "at most \(limit) bytes", found: "\(count) strings")
    }
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    guard count > 0 else { return [] }
    defer { pointers.forEach { H5free_memory($0) } }
    try HDF5Library.call(.badData, file, "\(what) could not be read") {
        pointers.withUnsafeMutableBytes { $0.baseAddress.map { read(type.id, $0) } ?? -1 }
    }
    return try pointers.map { pointer in
        guard let pointer else { return "" }
        return try utf8(
            UnsafeBufferPointer(start: pointer, count: strlen(pointer)).map { UInt8(bitPattern: $0) }[...], what, file)
    }
}

private func utf8(_ bytes: ArraySlice<UInt8>, _ what: String, _ file: String) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(.badData, file, "\(what) holds text that is not UTF-8")
    }
    return text
}

/// Refuses texts that hold a zero byte, because HDF5 ends text there.
func requireNoZeroBytes(_ texts: [String], _ what: String, _ file: String) throws {
    if let bad = texts.first(where: { $0.utf8.contains(0) }) {
        throw Failure(.badData, file, "\(what): the text \(bad.debugDescription) holds a zero byte")
    }
}
