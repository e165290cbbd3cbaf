import Files
import Foundation

/// A file that holds a key, and who can read it.
public struct KeyFile: Sendable {
    /// Which half of a pair of keys a file holds.
    public enum Sort: String, Codable, Sendable {
        case privateKey = "private"
        case publicKey = "public"
    }

    public let path: String
    public let sort: Sort
    /// The public key of the pair.
    public let publicKey: PublicKey
    /// The name of the file's owner; the number where the owner has no name on this machine.
    public let owner: String
    /// The permissions of the file, such as `600`.
    public let mode: String
    /// Whether others than the owner can read the file.
    public let isReadableByOthers: Bool

    /// Reads a key without using it. A private key may be readable by others.
    /// - Throws: `Failure`: `.noSuchInput`; `.readOrWriteFailed`; `.badData` where the file holds no key.
    public init(contentsOf path: String) throws {
        try RegularFile.require(path)
        guard let sort = KeyFile.sort(of: path) else {
            guard access(path, R_OK) == 0 else { throw StagedFile.failure(path, nil, "read") }
            throw Failure(.badData, path, "is not a key that fovea made")
        }
        self.path = path
        self.sort = sort
        publicKey =
            switch sort {
            case .privateKey: try SigningKey(anybodyMayRead: path).publicKey
            case .publicKey: try SigningKey.publicKey(contentsOf: path)
            }
        var found = stat()
        guard stat(path, &found) == 0 else { throw StagedFile.failure(path, nil, "read") }
        mode = String(found.st_mode & 0o777, radix: 8)
        isReadableByOthers = found.st_mode & 0o077 != 0
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        owner = attributes?[.ownerAccountName] as? String ?? String(found.st_uid)
    }

    /// Which key a file holds, judged by its first line; nil where it holds none or cannot be read.
    public static func sort(of path: String) -> Sort? {
        guard RegularFile.exists(path), let handle = FileHandle(forReadingAtPath: path),
            let start = try? handle.read(upToCount: 32)
        else { return nil }
        if start.starts(with: Data(SigningKey.privateHead.utf8)) { return .privateKey }
        return start.starts(with: Data(SigningKey.publicHead.utf8)) ? .publicKey : nil
    }
}
