import Cryptography
import Files
import Foundation

/// A public Ed25519 key (RFC 8032).
public struct PublicKey: Hashable, Sendable {
    let key: Ed25519.PublicKey

    /// The key's 32 bytes in base64.
    public var text: String { Data(key.bytes).base64EncodedString() }

    /// What people compare by telephone: the first 16 digits of the key's SHA-256, in groups of four.
    public var fingerprint: String { Digest(of: key.bytes).grouped(16) }

    /// Reads a key from base64.
    /// - Throws: `Failure(.badData)` that names `field` of `place` if the text is not a key.
    public init(_ text: String, field: String, place: String) throws {
        guard let bytes = Data(base64Encoded: text), let key = Ed25519.PublicKey(bytes: bytes) else {
            throw Failure(
                .badData, place, field: field, expected: "an Ed25519 public key, 32 bytes in base64", found: text)
        }
        self.key = key
    }

    init(_ key: Ed25519.PublicKey) { self.key = key }

    /// Whether `signature` is this key's signature of `message`.
    public func verifies(_ signature: Data, of message: Data) -> Bool { key.verifies(signature, of: message) }
}

/// A private Ed25519 key. Whoever has it can sign in the name of its site.
public struct SigningKey: Sendable {
    private let key: Ed25519.PrivateKey

    public var publicKey: PublicKey { PublicKey(key.publicKey) }

    static let privateHead = "fovea-private-key-1"
    static let publicHead = "fovea-public-key-1"

    /// Makes a new key from the system's randomness.
    public init() { key = Ed25519.PrivateKey() }

    /// Reads a private key.
    /// - Throws: `Failure`: `.noSuchInput`; `.notPermitted` if others can read the file; `.readOrWriteFailed`;
    ///   `.badData`.
    public init(contentsOf path: String) throws {
        var found = stat()
        guard stat(path, &found) == 0 else { throw Failure(.noSuchInput, path, "does not exist") }
        if KeyFile.sort(of: path) == .publicKey {
            let name = path.hasSuffix(".pub") ? ", " + path.dropLast(4) : ""
            throw Failure(.badData, path, "is a public key; give the private key\(name)")
        }
        guard found.st_mode & 0o077 == 0 else {
            throw Failure(
                .notPermitted, path,
                "can be read by others (mode \(String(found.st_mode & 0o777, radix: 8))); make it your own: chmod 600")
        }
        try self.init(anybodyMayRead: path)
    }

    /// Reads a private key whose file others can perhaps read, to say whose key it is.
    /// - Throws: `Failure`: `.noSuchInput`; `.readOrWriteFailed`; `.badData`.
    init(anybodyMayRead path: String) throws {
        var contents = try JSONText.contents(path)
        defer { contents.wipe() }
        guard var bytes = SigningKey.seed(in: contents) else { throw SigningKey.noPrivateKey(path) }
        defer { bytes.wipe() }
        guard let key = Ed25519.PrivateKey(seed: SecretBytes(bytes)) else { throw SigningKey.noPrivateKey(path) }
        self.key = key
    }

    /// Decodes the second line of a private key's file. No slice of `contents` outlives the call: if one did, wiping
    /// `contents` would only wipe a copy.
    private static func seed(in contents: Data) -> Data? {
        let lines = contents.split(separator: UInt8(ascii: "\n"))
        guard lines.count == 2, lines[0].elementsEqual(privateHead.utf8) else { return nil }
        return Data(base64Encoded: lines[1])
    }

    private static func noPrivateKey(_ path: String) -> Failure {
        Failure(.badData, path, "is not a private key that fovea made")
    }

    /// Writes the private key to `path` (mode 0600) and the public key to `path.pub`.
    /// - Throws: `Failure`: `.cannotCreateOutput` if either file exists, since a key is never overwritten;
    ///   `.readOrWriteFailed`.
    public func write(_ path: String) throws {
        for output in [path, path + ".pub"] {
            if FileManager.default.fileExists(atPath: output) {
                throw Failure(
                    .cannotCreateOutput, output, "exists already; a key is never replaced, so name another file")
            }
            try StagedFile.requireWritable(output, force: false)
        }
        var bytes = key.seed.withUnsafeBytes { Data($0) }, text = bytes.base64EncodedData()
        defer {
            bytes.wipe()
            text.wipe()
        }
        try SigningKey.write([Data("\(SigningKey.privateHead)\n".utf8), text, Data("\n".utf8)], to: path, mode: 0o600)
        try SigningKey.write(
            [Data("\(SigningKey.publicHead)\n\(publicKey.text)\n".utf8)], to: path + ".pub", mode: 0o644)
    }

    private static func write(_ pieces: [Data], to path: String, mode: mode_t) throws {
        // The file has its final mode from the start, so that others can never read it, not even for a moment.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw Failure(.cannotCreateOutput, path, "could not be made: \(SystemReason.text())")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            for piece in pieces { try file.write(contentsOf: piece) }
            try file.synchronize()
        } catch {
            throw StagedFile.failure(path, error)
        }
    }

    /// Reads a public key from a file that `write` made.
    /// - Throws: `Failure`: `.noSuchInput`, `.readOrWriteFailed`, `.badData`.
    public static func publicKey(contentsOf path: String) throws -> PublicKey {
        let lines = String(decoding: try JSONText.contents(path), as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.count == 2, lines[0] == publicHead else {
            if KeyFile.sort(of: path) == .privateKey {
                throw Failure(.badData, path, "is a private key, and the public one was expected, \(path).pub")
            }
            throw Failure(.badData, path, "is not a public key that fovea made")
        }
        return try PublicKey(lines[1], field: "key", place: path)
    }

    /// The signature of `message`: 64 bytes, always the same for the same message.
    public func signature(of message: Data) -> Data { Data(key.signature(of: message)) }

    /// HMAC-SHA-256 of `text` under a secret that is derived from this key alone. Its own site can recognise the same
    /// photographs by the code, and the code tells nothing to others who have these photographs.
    public func protected(_ text: String) -> String {
        let secret = HKDF.sha256(key.seed, info: Array("fovea-training-set-1".utf8), count: 32)
        let code = HMAC.sha256(Array(text.utf8), key: secret)
        guard let digest = Digest(bytes: code) else { fatalError("SHA-256 has 32 bytes") }
        return digest.description
    }
}
