import CheckpointStore
import Files
import Foundation

/// The parcels that a coordinator has taken, `TRUST.yaml.ledger` beside the list of trust: a line of JSON each. A
/// site's older parcel does not come back once a newer one of the same round was taken.
public struct ParcelLedger: Sendable {
    struct Line: Codable, Hashable, Sendable {
        var site: String
        var round: Int
        var base: String
        /// ISO 8601, UTC: sorted as text.
        var issued: String
        var parcel: Digest
    }

    public let path: String
    private let lines: [Line]

    /// - Throws: `Failure(.badData)` with the line.
    public init(for trust: TrustList) throws {
        // One list has one ledger, by whatever link it is reached.
        path = URL(fileURLWithPath: trust.path).resolvingSymlinksInPath().path + ".ledger"
        lines = FileManager.default.fileExists(atPath: path) ? try ParcelLedger.lines(path) : []
    }

    private static func lines(_ path: String) throws -> [Line] {
        // A last line without an end was being written when its process was killed.
        let text = String(decoding: try JSONText.contents(path), as: UTF8.self)
        let whole = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return try whole.enumerated().map {
            try JSONText.decode(Line.self, Data($1.utf8), place: "\(path) line \($0 + 1)")
        }
    }

    /// - Throws: `Failure(.notPermitted)` where a newer parcel of the same site, round and base was taken before.
    func requireNewest<Model>(_ parcel: Parcel<Model>) throws {
        let said = parcel.statement
        let newer = lines.first {
            $0.site == said.site && $0.round == said.round && $0.base == said.base && $0.parcel != parcel.digest
                && $0.issued >= said.issued
        }
        guard let newer else { return }
        throw Failure(
            .notPermitted, parcel.path,
            "is replayed: a parcel of \(said.site) for round \(said.round), issued \(newer.issued), was taken before")
    }

    /// Makes sure that a merge can be noted, before there is one.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func requireWritable() throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw StagedFile.failure(path) }
        close(descriptor)
    }

    /// Notes the parcels of a merge.
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
            // What a killed process left without an end gets one, and is no line: it is cut off.
            flock(descriptor, LOCK_EX)
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
