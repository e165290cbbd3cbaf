import Files
import Foundation

/// The first 512 bytes of a sample set. They hold the SHA-256 of everything behind them, which is checked without the
/// HDF5 library.
///
/// The block is `fovea.samples 1\n`, 64 lower-case hexadecimal digits, `\n`, and zeros. HDF5 skips it.
public enum UserBlock {
    /// The length of the block.
    public static let byteCount = 512
    private static let magic = "fovea.samples 1\n"

    /// The block of a file whose content has the digest `digest`.
    static func bytes(_ digest: Digest) -> Data {
        var block = Data("\(magic)\(digest)\n".utf8)
        block.append(Data(count: byteCount - block.count))
        return block
    }

    /// Computes the digest of everything behind the block, and writes the block.
    /// - Parameter shownAs: the path that errors name.
    static func seal(_ path: String, shownAs: String) throws {
        let block = bytes(try Digest(ofFile: path, from: byteCount, shownAs: shownAs))
        do {
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
            try file.write(contentsOf: block)
            try file.close()
        } catch {
            throw Failure(
                .readOrWriteFailed, shownAs,
                "the user block could not be written: \(SystemReason.text(error))")
        }
    }

    /// Compares the block, byte for byte, with the file's content.
    ///
    /// - Throws: `Failure(.noSuchInput)` where there is no such file; `Failure(.badData)` where it is not a sample set;
    ///   `Failure(.checkFailed)` where any byte has changed since it was written; `Failure(.readOrWriteFailed)`, also
    ///   where another program writes it.
    public static func verify(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(.noSuchInput, path, "there is no such file")
        }
        try SystemLock.requireNoWriter(path)
        let stored = try head(of: path)
        guard stored.count == byteCount else {
            throw Failure(.badData, path, "is not a sample set: \(stored.count) bytes are less than its first block")
        }
        let expected = bytes(try Digest(ofFile: path, from: byteCount))
        guard stored != expected else { return }
        guard stored.starts(with: Data("fovea.samples ".utf8)) else {
            throw Failure(
                .badData, path, field: "first block", expected: magic.trimmingCharacters(in: .newlines),
                found: "no sample set's mark")
        }
        guard stored.starts(with: Data(magic.utf8)) else {
            throw Failure(.badData, path, "is a sample set of another version, which this program cannot check")
        }
        throw Failure(
            .checkFailed, path,
            "the file has changed since it was written: its SHA-256 differs from the one in its first block")
    }

    /// Which part of a file with a wrong block has changed, as far as that is known.
    static func changedPlace(_ path: String) -> String {
        guard let stored = try? head(of: path), stored.count == byteCount else { return "first block" }
        let form = bytes(Digest(of: []))
        let digits = magic.utf8.count..<magic.utf8.count + 64
        let isFormed = (0..<byteCount).allSatisfy {
            digits.contains($0) ? "0123456789abcdef".utf8.contains(stored[$0]) : stored[$0] == form[$0]
        }
        return isFormed ? "bytes of the file" : "first block"
    }

    private static func head(of path: String) throws -> Data {
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            return try file.read(upToCount: byteCount) ?? Data()
        } catch {
            throw Failure(.readOrWriteFailed, path, "could not be read: \(SystemReason.text(error))")
        }
    }
}
