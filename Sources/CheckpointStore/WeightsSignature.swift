import Files
import Foundation
import TensorCore

/// The signature of a weights file, JSON under the metadata key `fovea.signature`.
///
/// Signed is `fovea-parcel-1\0`, the SHA-256 of the manifest's bytes as stored, and the SHA-256 of the table of
/// tensors: for each, sorted by name, a line `name dtype shape SHA-256-of-its-bytes`.
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

    /// One tensor as it is signed.
    public struct Line: Hashable, Sendable {
        public let name: String
        public let type: StoredType
        public let shape: [Int]
        /// Of its bytes as they are stored.
        public let digest: Digest
    }

    /// SHA-256 of the table of tensors, sorted by name: the same tensors are the same digest, whoever signed them.
    public static func digest(of table: [Line]) -> Digest {
        var lines = DigestBuilder()
        for line in table {
            // A name cannot hold a line end or pass for two: its length stands before it.
            let shape = line.shape.map(String.init).joined(separator: ",")
            lines.update(
                Array("\(line.name.utf8.count) \(line.name) \(line.type.rawValue) [\(shape)] \(line.digest)\n".utf8))
        }
        return lines.finalize()
    }

    private static func message(manifest: String, table: [Line]) -> Data {
        Data("fovea-parcel-1\0".utf8) + Digest(of: Array(manifest.utf8)).bytes + digest(of: table).bytes
    }

    /// Signs tensors that are to be written as `type`, with this manifest.
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
    /// - Returns: whose it is; nil where the file has none.
    /// - Throws: `Failure(.badData)` for a signature that is none; `Failure(.notPermitted)` for one of other content.
    public static func signer(of file: SafetensorsIndex, path: String) throws -> PublicKey? {
        try signedTable(of: file, path: path)?.signer
    }

    /// Checks that a file which says that it is signed, or that a site shares it, is what was signed.
    /// - Throws: `Failure(.notPermitted)`.
    public static func requireIntact(_ path: String, isParcel: Bool) throws {
        guard try signer(of: try SafetensorsIndex(contentsOf: path), path: path) != nil || !isParcel else {
            throw Failure(.notPermitted, path, "says that a site shares it, and is unsigned")
        }
    }

    /// The same, with the table that was signed (whoever reads a tensor later can see that it is still the one) and the
    /// digest of what was signed, which is the same for every file that holds it.
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
