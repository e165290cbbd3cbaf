import Foundation

/// A path as the bytes that the file system stores, which need not be UTF-8.
///
/// Names that an old camera or another system wrote in Latin-1 cannot be held by a `String`, and Foundation's calls do
/// not find such files.
package struct RawPath: Hashable, Sendable {
    package let bytes: [UInt8]

    package init(_ text: String) { bytes = Array(text.utf8) }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// The path of `name` in the folder at this path. The empty path stands for no folder.
    package func appending(_ name: [UInt8]) -> RawPath {
        RawPath(bytes: bytes.isEmpty ? name : bytes + [UInt8(ascii: "/")] + name)
    }

    package func appending(_ path: RawPath) -> RawPath { appending(path.bytes) }

    /// The path as text. In a name that is not UTF-8, each byte beyond ASCII is written as `\xFC`, and so is a
    /// backslash, so that two names are never written alike by accident.
    package var shown: String {
        bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { name in
            if let text = String(validating: name, as: UTF8.self) { return text }
            return name.reduce(into: "") { text, byte in
                if byte < 0x80, byte != UInt8(ascii: "\\") {
                    text.unicodeScalars.append(Unicode.Scalar(byte))
                } else {
                    text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                }
            }
        }.joined(separator: "/")
    }

    /// Calls `body` with the path as the system's calls take it.
    package func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        try (bytes + [0]).withUnsafeBufferPointer {
            try $0.withMemoryRebound(to: CChar.self) { try body($0.baseAddress!) }
        }
    }
}
