import CheckpointStore
import Federation
import Files
import Foundation
import Support
import TensorCore
import Testing

/// Sites that are marked as withdrawn in a list of trust, and taken back.
@Suite struct TrustMarksTests {
    let sites: HandMadeParcels
    let list: TrustList
    init() throws {
        sites = try HandMadeParcels(["aachen", "bonn"])
        list = try sites.trust()
    }

    private func again() throws -> TrustList { try TrustList(contentsOf: list.path) }

    private func bytes() throws -> [Data] {
        try [list.path, list.path + ".sig"].map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
    }

    private func mark(_ site: String, reason: String?) throws {
        try again().withdrawing(site, reason: reason, with: sites.coordinator, at: HandMadeParcels.day)?.commit()
    }

    @Test func `the list keeps who was withdrawn and taken back, when and why`() throws {
        let reason = "asked to leave: \"now\", & *done* # é"
        try mark("bonn", reason: reason)
        try mark("aachen", reason: nil)
        try again().takingBack("bonn", reason: "a mistake", with: sites.coordinator, at: HandMadeParcels.day).commit()
        let after = try again(), by = sites.coordinator.publicKey.fingerprint
        #expect(Day.text(HandMadeParcels.day) == "2026-11-18")
        #expect(
            after.history.map { [$0.site, $0.act.rawValue, $0.day, $0.by, $0.reason] } == [
                ["bonn", "withdrawn", "2026-11-18", by, reason],
                ["aachen", "withdrawn", "2026-11-18", by, "no reason was given"],
                ["bonn", "taken-back", "2026-11-18", by, "a mistake"],
            ])
        #expect(after.withdrawn == ["aachen"] && after.members == list.members)
        #expect(after.reason(withdrawn: "bonn") == "")
        #expect(after.reason(withdrawn: "aachen") == " (on 2026-11-18: no reason was given)")
        expectFailure(.notPermitted, "aachen was withdrawn (on 2026-11-18: no reason was given)") {
            try after.member(
                signing: try #require(sites.keys["aachen"]).publicKey, at: HandMadeParcels.day, file: "x")
        }
    }

    @Test func `a site that is marked is not marked again, and one that is not is not taken back`() throws {
        try mark("bonn", reason: "asked")
        #expect(try again().withdrawing("bonn", reason: "x", with: sites.coordinator, at: HandMadeParcels.day) == nil)
        let before = try bytes()
        expectFailure(.usage, "expected bonn, found aachen, which is not withdrawn") {
            try again().takingBack("aachen", reason: "x", with: sites.coordinator, at: HandMadeParcels.day)
        }
        expectFailure(.usage, "expected why the mark is taken back") {
            try again().takingBack("bonn", reason: " \n", with: sites.coordinator, at: HandMadeParcels.day)
        }
        expectFailure(.usage, "expected at most 500 characters, found 501") {
            let long = String(repeating: "x", count: 501)
            return try again().takingBack("bonn", reason: long, with: sites.coordinator, at: HandMadeParcels.day)
        }
        expectFailure(.notPermitted, "coordinator: expected") {
            try again().takingBack("bonn", reason: "x", with: SigningKey(), at: HandMadeParcels.day)
        }
        #expect(try bytes() == before)
    }

    @Test func `a change that is not made, or that is undone, leaves the list byte for byte`() throws {
        let before = try bytes()
        let change = try #require(
            try list.withdrawing("bonn", reason: "asked", with: sites.coordinator, at: HandMadeParcels.day))
        #expect(change.list.withdrawn == ["bonn"])
        #expect(try bytes() == before)
        try change.commit()
        #expect(try again().withdrawn == ["bonn"])
        try change.undo()
        #expect(try bytes() == before)
        #expect(try again().withdrawn.isEmpty)
    }

    @Test func `a mark of version 0.1 has no act, and can be taken back`() throws {
        let old = try sites.trust(withdrawn: "bonn")
        #expect(old.history.isEmpty && old.withdrawn == ["bonn"] && old.reason(withdrawn: "bonn") == "")
        try old.takingBack("bonn", reason: "a mistake", with: sites.coordinator, at: HandMadeParcels.day).commit()
        #expect(try again().withdrawn.isEmpty)
        #expect(try again().history.map(\.act) == [.takenBack])
    }

    @Test func `nobody removes a mark without an act`() throws {
        try mark("bonn", reason: "asked")
        let text = try String(contentsOfFile: list.path, encoding: .utf8)
        try sites.folder.write(
            text.replacingOccurrences(of: "withdrawn: [bonn]", with: "withdrawn: []").utf8, "TRUST.yaml")
        expectFailure(.badData, "withdrawn: expected bonn, which was withdrawn on 2026-11-18") {
            try TrustList.sign(list.path, with: sites.coordinator)
        }
    }

    @Test(arguments: [
        ("role: officer", "role: expected site, coordinator, privacy-officer, found \"officer\""),
        ("role: [site]", "role: expected site, coordinator, privacy-officer, found \"something else\""),
    ])
    func `a role that there is not is answered with the roles and the line`(role: String, sentence: String) throws {
        let failure = expectFailure(.badData, sentence) {
            try sites.trust(["bonn": "from: 2026-01-01, until: 2027-12-31, \(role)"])
        }
        #expect(failure?.place?.hasSuffix("TRUST.yaml line 6") == true, "\(failure?.place ?? "")")
    }

    @Test(arguments: [
        ("{site: bonn, act: gone, day: 2026-01-01, by: x, reason: y}", "act"),
        ("{site: bonn, act: taken-back, day: 2026-1-1, by: x, reason: y}", "day: expected a day such as 2026-01-31"),
        ("{site: b nn, act: taken-back, day: 2026-01-01, by: x, reason: y}", "site: expected 1 to 64 letters"),
        ("{site: bonn, act: taken-back, day: 2026-01-01, by: x, reason: y, more: z}", "an unknown key"),
        ("{site: bonn, act: taken-back, day: 2026-01-01, by: x}", "reason"),
    ])
    func `an act that is not valid is refused`(act: String, sentence: String) throws {
        let text = try String(contentsOfFile: list.path, encoding: .utf8)
        try sites.folder.write("\(text)history:\n  - \(act)\n".utf8, "TRUST.yaml")
        expectFailure(.badData, sentence) { try TrustList.sign(list.path, with: sites.coordinator) }
    }
}
