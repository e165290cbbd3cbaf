import Files
import Foundation

/// The signature of a text file, in base64 in `FILE.sig` beside it. Each kind of file has its own domain, so that a
/// signature for one kind does not count for another.
public enum DetachedSignature {
    /// Where the signature of `file` is.
    public static func path(for file: String) -> String { file + ".sig" }

    /// The bytes that are signed: the domain, a zero byte, and the content.
    package static func message(_ domain: String, _ content: Data) -> Data { Data("\(domain)\0".utf8) + content }

    /// Signs `content`, which is at `path` or will be written there.
    /// - Throws: `Failure`: `.cannotCreateOutput`, `.readOrWriteFailed`.
    public static func write(_ content: Data, at path: String, domain: String, key: SigningKey) throws {
        try staged(content, at: path, domain: domain, key: key).commit()
    }

    /// Signs `content` as `write` does. The signature gets its name once the caller commits the file.
    /// - Throws: `Failure`: `.cannotCreateOutput`, `.readOrWriteFailed`.
    package static func staged(_ content: Data, at path: String, domain: String, key: SigningKey) throws -> StagedFile {
        let staged = try StagedFile(self.path(for: path), force: true)
        try staged.write(Data((key.signature(of: message(domain, content)).base64EncodedString() + "\n").utf8))
        return staged
    }

    /// Checks `content`, which was read from `path`.
    /// - Parameter advice: how to make the signature, for the message.
    /// - Throws: `Failure`: `.notPermitted` if the signature is missing or does not fit; `.readOrWriteFailed`.
    public static func verify(_ content: Data, at path: String, domain: String, by key: PublicKey, advice: String)
        throws
    {
        let place = self.path(for: path)
        guard FileManager.default.fileExists(atPath: place) else {
            throw Failure(.notPermitted, path, "is not signed: \(place) is missing; \(advice)")
        }
        let text = String(decoding: try JSONText.contents(place), as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines)
        guard let signature = Data(base64Encoded: text), key.verifies(signature, of: message(domain, content)) else {
            throw Failure(.notPermitted, path, "is not what \(key.fingerprint) signed in \(place)")
        }
    }
}
