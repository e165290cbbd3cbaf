import Files
import Foundation

/// The signature of a text file, base64 in `FILE.sig` beside it. A domain keeps the signature of one kind of file from
/// counting for another.
public enum DetachedSignature {
    public static func path(for file: String) -> String { file + ".sig" }

    package static func message(_ domain: String, _ content: Data) -> Data { Data("\(domain)\0".utf8) + content }

    /// Signs `content`, which is at `path` or will be.
    public static func write(_ content: Data, at path: String, domain: String, key: SigningKey) throws {
        let staged = try StagedFile(self.path(for: path), force: true)
        try staged.write(Data((key.signature(of: message(domain, content)).base64EncodedString() + "\n").utf8))
        try staged.commit()
    }

    /// Checks `content`, which was read from `path`.
    /// - Parameter advice: how the signature is made, for the message.
    /// - Throws: `Failure(.notPermitted)` where it is missing or does not fit.
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
