import CheckpointStore
import Federation
import Files
import Foundation
import Support
import Synchronization
import TensorCore
import Testing

/// The parcels that a coordinator has taken.
@Suite struct ParcelLedgerTests {
    let sites: HandMadeParcels
    let list: TrustList
    init() throws {
        sites = try HandMadeParcels()
        list = try sites.trust()
    }

    private func parcel(_ numbers: [Float], issued: TimeInterval = 0, round: Int = 1) throws -> Parcel<Nothing> {
        let path = try sites.parcel(
            "aachen", ["w": Tensor(numbers, shape: [2])], round: round, issued: issued,
            name: "aachen-\(numbers[0])-\(round).parcel")
        return try Parcel(contentsOf: path)
    }

    private func refusals(_ parcel: Parcel<Nothing>, _ ledger: ParcelLedger, round: Int = 1) throws -> [Failure] {
        try sites.admission([parcel.path], trust: list, round: round, ledger: ledger).refused.map(\.failure)
    }

    private func text(_ ledger: ParcelLedger) throws -> String {
        try String(contentsOfFile: ledger.path, encoding: .utf8)
    }

    @Test func `an older parcel does not come back once a newer one was taken`() throws {
        let older = try parcel([1, 2]), newer = try parcel([3, 4], issued: 60), rival = try parcel([5, 6], issued: 60),
            newest = try parcel([7, 8], issued: 61)
        let empty = try ParcelLedger(for: list)
        #expect(empty.path == list.path + ".ledger")
        for one in [older, newer] { #expect(try refusals(one, empty).isEmpty) }
        try empty.note([newer])
        let ledger = try ParcelLedger(for: list)
        for one in [older, rival] {
            #expect(
                try refusals(one, ledger) == [
                    Failure(
                        .notPermitted, one.path,
                        """
                        is replayed: a parcel of aachen for round 1, issued \(newer.statement.issued), was taken before
                        """)
                ])
        }
        // The same again, a newer one, and one of another round.
        for one in [newer, newest] { #expect(try refusals(one, ledger).isEmpty) }
        #expect(try refusals(try parcel([9, 10], round: 2), ledger, round: 2).isEmpty)
    }

    @Test func `each parcel has one line`() throws {
        let first = try parcel([1, 2]), second = try parcel([3, 4], issued: 60)
        try ParcelLedger(for: list).note([first])
        let ledger = try ParcelLedger(for: list)
        try ledger.note([first, second])
        let lines = try text(ledger).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 3 && lines[2].isEmpty)
        for (line, one) in zip(lines, [first, second]) {
            #expect(
                line == """
                    {"base":"\(HandMadeParcels.digest)","issued":"\(one.statement.issued)","parcel":"\(one.digest)",\
                    "round":1,"site":"aachen"}
                    """)
        }
        try ParcelLedger(for: list).note([first, second])
        #expect(try text(ledger).split(separator: "\n").count == 2)
    }

    @Test func `a damaged ledger is refused with its line`() throws {
        let ledger = try ParcelLedger(for: list)
        try ledger.note([try parcel([1, 2])])
        let good = try text(ledger)
        for (line, sentence) in [
            ("nonsense\n", "is not valid JSON"), ("\n", "is not valid JSON"), ("{\"site\":\"aachen\"}\n", "is missing"),
            (good.replacingOccurrences(of: "\"round\":1", with: "\"round\":\"x\""), "round: expected a whole number"),
        ] {
            try Data((good + line + good).utf8).write(to: URL(fileURLWithPath: ledger.path))
            let failure = expectFailure(.badData, sentence, "\(line)") { try ParcelLedger(for: list) }
            #expect(failure?.place == "\(ledger.path) line 2", "\(line)")
        }
        let digits = good.replacingOccurrences(of: "\"parcel\":\"", with: "\"parcel\":\"z")
        try Data(digits.utf8).write(to: URL(fileURLWithPath: ledger.path))
        expectFailure(.badData, "parcel: expected 64 hexadecimal digits") { try ParcelLedger(for: list) }
    }

    /// The process that wrote the last line was killed within it.
    @Test func `a line without an end is none, and is cut off by the next`() throws {
        let first = try parcel([1, 2]), second = try parcel([3, 4], issued: 60)
        try ParcelLedger(for: list).note([first])
        let path = try ParcelLedger(for: list).path, whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for rest in [whole + Data("{\"site\":\"aach".utf8), Data("{\"si".utf8)] {
            try rest.write(to: URL(fileURLWithPath: path))
            let ledger = try ParcelLedger(for: list)
            try ledger.note([second])
            let lines = try text(ledger).split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count == (rest.count > whole.count ? 3 : 2) && lines.last?.isEmpty == true)
            #expect(try refusals(try parcel([5, 6]), try ParcelLedger(for: list)).count == 1)
        }
    }

    @Test func `a ledger that cannot be written is found before there is a merge`() throws {
        let ledger = try ParcelLedger(for: list), one = try parcel([1, 2])
        try ledger.requireWritable()
        #expect(try text(ledger) == "")
        try FileManager.default.removeItem(atPath: ledger.path)
        try FileManager.default.createDirectory(atPath: ledger.path, withIntermediateDirectories: false)
        for body in [{ try ledger.requireWritable() }, { try ledger.note([one]) }] as [() throws -> Void] {
            let failure = expectFailure(.readOrWriteFailed, "could not be written: Is a directory") { try body() }
            #expect(failure?.place == ledger.path)
        }
        try FileManager.default.removeItem(atPath: ledger.path)
        try sites.folder.write([], "TRUST.yaml.ledger")
        try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: ledger.path)
        let found = Mutex<Failure?>(nil)
        let wasRun = withoutRights {
            do { try ledger.requireWritable() } catch { found.withLock { $0 = error as? Failure } }
        }
        if wasRun {
            #expect(
                found.withLock { $0 }
                    == Failure(.readOrWriteFailed, ledger.path, "could not be written: Permission denied"))
        }
    }

    @Test func `one list has one ledger, by whatever link it is reached`() throws {
        let link = sites.folder.file("link.yaml")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: list.path)
        try FileManager.default.createSymbolicLink(atPath: link + ".sig", withDestinationPath: list.path + ".sig")
        try ParcelLedger(for: list).note([try parcel([3, 4], issued: 60)])
        let ledger = try ParcelLedger(for: try TrustList(contentsOf: link))
        #expect(ledger.path == URL(fileURLWithPath: list.path).resolvingSymlinksInPath().path + ".ledger")
        #expect(try refusals(try parcel([1, 2]), ledger).count == 1)
    }
}
