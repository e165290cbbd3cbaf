import Crypto
import Files
import Foundation

/// A public Ed25519 key (RFC 8032).
public struct PublicKey: Hashable, Sendable {
    let key: Curve25519.Signing.PublicKey

    public static func == (a: PublicKey, b: PublicKey) -> Bool { a.key.rawRepresentation == b.key.rawRepresentation }
    public func hash(into hasher: inout Hasher) { hasher.combine(key.rawRepresentation) }

    /// 32 bytes in base64.
    public var text: String { key.rawRepresentation.base64EncodedString() }

    /// What people compare by telephone: SHA-256 of the key, the first 16 digits in groups of four.
    public var fingerprint: String {
        let digits = Array(Digest(of: key.rawRepresentation).description.prefix(16))
        return stride(from: 0, to: 16, by: 4).map { String(digits[$0..<$0 + 4]) }.joined(separator: "-")
    }

    /// - Throws: `Failure(.badData)` naming `field` of `place` where the text is no key.
    public init(_ text: String, field: String, place: String) throws {
        guard let bytes = Data(base64Encoded: text),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)
        else {
            throw Failure(
                .badData, place, field: field, expected: "an Ed25519 public key, 32 bytes in base64", found: text)
        }
        self.key = key
    }

    init(_ key: Curve25519.Signing.PublicKey) { self.key = key }

    public func verifies(_ signature: Data, of message: Data) -> Bool { key.isValidSignature(signature, for: message) }
}

/// A private Ed25519 key: whoever has it signs in the name of its site.
public struct SigningKey: Sendable {
    private let key: Curve25519.Signing.PrivateKey

    public var publicKey: PublicKey { PublicKey(key.publicKey) }

    private static let privateHead = "fovea-private-key-1"
    private static let publicHead = "fovea-public-key-1"

    /// A new key, from the system's randomness.
    public init() { key = Curve25519.Signing.PrivateKey() }

    /// Reads a private key.
    /// - Throws: `Failure`: `.noSuchInput`; `.notPermitted` where others can read the file; `.badData`.
    public init(contentsOf path: String) throws {
        var found = stat()
        guard stat(path, &found) == 0 else { throw Failure(.noSuchInput, path, "does not exist") }
        guard found.st_mode & 0o077 == 0 else {
            throw Failure(
                .notPermitted, path,
                "can be read by others (mode \(String(found.st_mode & 0o777, radix: 8))); make it your own: chmod 600")
        }
        let lines = String(decoding: try JSONText.contents(path), as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.count == 2, lines[0] == SigningKey.privateHead, let bytes = Data(base64Encoded: lines[1]),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
        else { throw Failure(.badData, path, "is no private key that fovea parcel keygen made") }
        self.key = key
    }

    /// Writes the private key to `path` (mode 0600) and the public one to `path.pub`.
    /// - Throws: `Failure(.cannotCreateOutput)` where either exists: a key is never overwritten.
    public func write(_ path: String) throws {
        for output in [path, path + ".pub"] { try StagedFile.requireWritable(output, force: false) }
        try SigningKey.write(
            "\(SigningKey.privateHead)\n\(key.rawRepresentation.base64EncodedString())\n", to: path, mode: 0o600)
        try SigningKey.write("\(SigningKey.publicHead)\n\(publicKey.text)\n", to: path + ".pub", mode: 0o644)
    }

    private static func write(_ text: String, to path: String, mode: mode_t) throws {
        // Never readable by others, not for a moment.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw Failure(.cannotCreateOutput, path, "could not be made: \(String(cString: strerror(errno)))")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try file.write(contentsOf: Data(text.utf8))
            try file.synchronize()
        } catch {
            throw StagedFile.failure(path, error)
        }
    }

    /// Reads a public key from a file that `write` made.
    public static func publicKey(contentsOf path: String) throws -> PublicKey {
        let lines = String(decoding: try JSONText.contents(path), as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.count == 2, lines[0] == publicHead else {
            throw Failure(.badData, path, "is no public key that fovea parcel keygen made")
        }
        return try PublicKey(lines[1], field: "key", place: path)
    }

    public func signature(of message: Data) throws -> Data {
        do { return try key.signature(for: message) } catch {
            throw Failure(.readOrWriteFailed, nil, "the key could not sign: \(error)")
        }
    }

    /// HMAC-SHA-256 under a secret that follows from this key alone: the same photographs are the same to their own
    /// site, and say nothing to others who have them.
    public func protected(_ text: String) -> String {
        let secret = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: key.rawRepresentation), info: Data("fovea-training-set-1".utf8),
            outputByteCount: 32)
        let code = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: secret)
        guard let digest = Digest(bytes: Array(code)) else { fatalError("SHA-256 has 32 bytes") }
        return digest.description
    }
}
