import Files
import Foundation
import TensorCore

/// The signature of a weights file, as JSON under the metadata key `fovea.signature`.
///
/// The signature covers `fovea-parcel-1\0`, the SHA-256 of the manifest's bytes as stored, and the SHA-256 of the table
/// of tensors. The table has one line for each tensor, sorted by name: the length of the name, then `name dtype [shape]
/// SHA-256-of-its-bytes`.
public struct WeightsSignature: Codable, Hashable, Sendable {
    public static let metadataKey = "fovea.signature"
    static let manifestKey = "fovea"

    public var algorithm = "Ed25519"
    /// The signer's public key, base64.
    public var key: String
    /// 64 bytes, base64.
    public var signature: String

    init(key: String, signature: String) {
        self.key = key
        self.signature = signature
    }

    /// One tensor, as a line of the table that is signed.
    public struct Line: Hashable, Sendable {
        public let name: String
        public let type: StoredType
        public let shape: [Int]
        /// SHA-256 of the tensor's bytes as they are stored.
        public let digest: Digest
    }

    /// SHA-256 of the table of tensors, sorted by name. The same tensors give the same digest, whoever signed them.
    public static func digest(of table: [Line]) -> Digest {
        var lines = DigestBuilder()
        for line in table {
            // The length before a name makes sure that a name with a line end cannot pass for two lines.
            let shape = line.shape.map(String.init).joined(separator: ",")
            lines.update(
                Array("\(line.name.utf8.count) \(line.name) \(line.type.rawValue) [\(shape)] \(line.digest)\n".utf8))
        }
        return lines.finalize()
    }

    private static func message(manifest: String, table: [Line]) -> Data {
        Data("fovea-parcel-1\0".utf8) + Digest(of: Array(manifest.utf8)).bytes + digest(of: table).bytes
    }

    /// Signs this manifest together with tensors that will be written as `type`.
    static func sign(
        manifest: String, _ sources: [String: TensorSource], as type: StoredType, with key: SigningKey
    ) throws -> WeightsSignature {
        let table = sources.sorted { $0.key < $1.key }.map { name, source in
            var digest = DigestBuilder()
            Safetensors.encode(source.make(), as: type) { digest.update($0) }
            return Line(name: name, type: type, shape: source.shape, digest: digest.finalize())
        }
        let signature = key.signature(of: message(manifest: manifest, table: table))
        return WeightsSignature(key: key.publicKey.text, signature: signature.base64EncodedString())
    }

    /// Checks the signature of a file against its manifest and tensors.
    /// - Returns: the signer's key; nil if the file has no signature.
    /// - Throws: `Failure`: `.badData` if the signature cannot be read, `.notPermitted` if it was made for other
    ///   content, `.readOrWriteFailed`.
    public static func signer(of file: SafetensorsIndex, path: String) throws -> PublicKey? {
        try signedTable(of: file, path: path)?.signer
    }

    /// Checks that the content of a signed file is what was signed. A parcel must be signed; other files need not be.
    /// - Throws: `Failure`: `.notPermitted` if the content was changed or a parcel is unsigned; `.noSuchInput`,
    ///   `.badData` and `.readOrWriteFailed` if the file cannot be read.
    public static func requireIntact(_ path: String, isParcel: Bool) throws {
        guard try signer(of: try SafetensorsIndex(contentsOf: path), path: path) != nil || !isParcel else {
            throw Failure(.notPermitted, path, "says that a site shares it, but is not signed")
        }
    }

    /// Checks the signature as `signer(of:path:)` does. It also returns the signed table, with which whoever reads a
    /// tensor later can see that it is still the same, and the digest of what was signed, which is the same for every
    /// file that holds it.
    /// - Throws: the same as `signer(of:path:)`.
    public static func signedTable(of file: SafetensorsIndex, path: String) throws -> (
        signer: PublicKey, table: [Line], digest: Digest
    )? {
        guard let text = file.metadata[metadataKey] else { return nil }
        if let other = file.metadata.keys.sorted().first(where: { $0 != metadataKey && $0 != manifestKey }) {
            throw Failure(
                .badData, path, field: "metadata", expected: "\(manifestKey) and \(metadataKey) alone in a signed file",
                found: other.printable)
        }
        let found = try JSONText.decode(WeightsSignature.self, Data(text.utf8), place: "\(path): \(metadataKey)")
        guard found.algorithm == "Ed25519" else {
            throw Failure(.badData, path, field: "signature.algorithm", expected: "Ed25519", found: found.algorithm)
        }
        let key = try PublicKey(found.key, field: "signature.key", place: path)
        let table = try file.entries.map {
            Line(name: $0.name, type: $0.type, shape: $0.shape, digest: Digest(of: try file.bytes($0)))
        }
        let message = message(manifest: file.metadata[manifestKey] ?? "", table: table)
        guard let signature = Data(base64Encoded: found.signature), key.verifies(signature, of: message) else {
            throw Failure(
                .notPermitted, path,
                "the signature does not fit: manifest or tensors are not what \(key.fingerprint) signed")
        }
        return (key, table, Digest(of: message))
    }
}
