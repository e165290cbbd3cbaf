import CheckpointStore
import Files
import Foundation

/// The parcels that a coordinator has taken: `TRUST.yaml.ledger` beside the list of trust, with one line of JSON for
/// each parcel. Once a site's newer parcel was taken in a round, an older parcel of the same round is refused.
public struct ParcelLedger: Sendable {
    struct Line: Codable, Hashable, Sendable {
        var site: String
        var round: Int
        var base: String
        /// The moment in ISO 8601 and UTC, so that the order of the texts is the order in time.
        var issued: String
        var parcel: Digest
    }

    public let path: String
    private let lines: [Line]

    /// Reads the ledger of a list of trust; it is empty where the file does not exist yet.
    /// - Throws: `Failure(.badData)` with the line; `Failure(.readOrWriteFailed)`.
    public init(for trust: TrustList) throws {
        // Links are resolved, so that every path to one list leads to the same ledger.
        path = URL(fileURLWithPath: trust.path).resolvingSymlinksInPath().path + ".ledger"
        lines = FileManager.default.fileExists(atPath: path) ? try ParcelLedger.lines(path) : []
    }

    private static func lines(_ path: String) throws -> [Line] {
        // A last line without a line feed was cut off when a process was killed.
        let text = String(decoding: try JSONText.contents(path), as: UTF8.self)
        let whole = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return try whole.enumerated().map {
            try JSONText.decode(Line.self, Data($1.utf8), place: "\(path) line \($0 + 1)")
        }
    }

    /// Whether a parcel was taken in an earlier merge.
    public func holds(_ parcel: Digest) -> Bool { lines.contains { $0.parcel == parcel } }

    /// - Throws: `Failure(.notPermitted)` where a newer parcel of the same site, round and base was taken before.
    func requireNewest<Model>(_ parcel: Parcel<Model>) throws {
        let said = parcel.statement
        let newer = lines.first {
            $0.site == said.site && $0.round == said.round && $0.base == said.base && $0.parcel != parcel.digest
                && $0.issued >= said.issued && $0.parcel != said.replaces
        }
        guard let newer else { return }
        throw Failure(
            .notPermitted, parcel.path,
            "is replayed: a parcel of \(said.site) for round \(said.round), issued \(newer.issued), was taken before")
    }

    /// Checks, before a merge is computed, that its parcels can be noted.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func requireWritable() throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw StagedFile.failure(path) }
        close(descriptor)
    }

    /// Notes the parcels of a merge.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func note<Model>(_ parcels: [Parcel<Model>]) throws {
        let new = parcels.map {
            Line(
                site: $0.statement.site, round: $0.statement.round, base: $0.statement.base,
                issued: $0.statement.issued, parcel: $0.digest)
        }
        .filter { !lines.contains($0) }
        guard !new.isEmpty else { return }
        let text = try new.map { try JSONText.encoded($0) + "\n" }.joined()
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw StagedFile.failure(path) }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            // A last line that a killed process left without a line feed is removed.
            SystemLock.wait(descriptor, path: path)
            let there = try file.readToEnd() ?? Data()
            if let last = there.last, last != UInt8(ascii: "\n") {
                let whole = there.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
                try file.truncate(atOffset: UInt64(whole))
            }
            try file.write(contentsOf: Data(text.utf8))
            try file.synchronize()
        } catch {
            throw StagedFile.failure(path, error)
        }
    }
}
