import Files
import Foundation

/// Reads texts that people write or export: tables and maps. They may come from a file, a pipe or the terminal, in
/// UTF-8 or, as some programs export them, in UTF-16 with a byte order mark.
enum TableText {
    /// No table of labels is longer. Whoever names an endless device is told so.
    private static let mostBytes = 1 << 30

    /// The text in UTF-8, without a byte order mark.
    /// - Parameter advice: what to do about a text in another encoding.
    /// - Throws: `Failure`: `.noSuchInput`; `.readOrWriteFailed`; `.badData` for a folder, and for what is no text in
    ///   one of the two encodings.
    static func read(_ path: String, advice: String) throws -> [UInt8] {
        let bytes = try wholeFile(path)
        if let text = utf16(bytes) {
            guard let text else { throw Failure(.badData, path, "is damaged UTF-16 text; \(advice)") }
            return Array(text.utf8)
        }
        if bytes.starts(with: [0x50, 0x4B, 3, 4]) || bytes.starts(with: [0xD0, 0xCF, 0x11, 0xE0]) {
            throw Failure(.badData, path, "is a workbook of Excel or another archive, and not a text; \(advice)")
        }
        guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else {
            throw Failure(.badData, path, "is not UTF-8 text; \(advice)")
        }
        return bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    /// The text behind a byte order mark of UTF-16: `.some(nil)` if it is damaged, nil if there is no such mark.
    private static func utf16(_ bytes: [UInt8]) -> String?? {
        let isLittle = bytes.starts(with: [0xFF, 0xFE])
        guard isLittle || bytes.starts(with: [0xFE, 0xFF]) else { return nil }
        guard bytes.count.isMultiple(of: 2) else { return .some(nil) }
        let units = stride(from: 2, to: bytes.count, by: 2).map { at in
            let first = UInt16(bytes[at]), second = UInt16(bytes[at + 1])
            return isLittle ? second << 8 | first : first << 8 | second
        }
        return .some(units.contains(0) ? nil : String(validating: units, as: UTF16.self))
    }

    /// Foundation refuses to read pipes, so the file is read piece by piece until it ends.
    private static func wholeFile(_ path: String) throws -> [UInt8] {
        func failed() -> Failure {
            let reason = SystemReason.text()
            return errno == ENOENT
                ? Failure(.noSuchInput, path, "does not exist")
                : Failure(.readOrWriteFailed, path, "could not be read: \(reason)")
        }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failed() }
        defer { close(file) }
        var found = stat()
        guard fstat(file, &found) == 0 else { throw failed() }
        if found.st_mode & S_IFMT == S_IFDIR { throw Failure(.badData, path, "is a folder; name a file in it") }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = piece.withUnsafeMutableBytes { Foundation.read(file, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw failed()
            }
            if count == 0 { return bytes }
            bytes += piece[..<count]
            guard bytes.count <= mostBytes else {
                throw Failure(.badData, path, "goes on after \(mostBytes >> 20) MiB, which no table of labels does")
            }
        }
    }
}
