import CheckpointStore
import Federation
import Files
import Foundation
import Support
import TensorCore
import Testing

/// A site sends a corrected parcel.
@Suite struct ReplacementTests {
    let sites: HandMadeParcels
    init() throws { sites = try HandMadeParcels() }

    private let row = ["w": Tensor([3, 4], shape: [2])]
    private func file(_ name: String) -> String { sites.folder.file(name) }

    @Test func `a parcel that says so replaces the earlier one, whatever is wrong with that`() throws {
        let first = try sites.parcel("aachen", row), digest = try Parcel<Nothing>(contentsOf: first).digest
        func correction(_ site: String, _ name: String, issued: TimeInterval, replaces: Digest) throws -> String {
            try sites.parcel(site, ["w": Tensor([5, 6], shape: [2])], issued: issued, name: name) {
                $0.parcel?.replaces = replaces
            }
        }
        // Also where both were issued in the same second.
        for issued in [0, 60.0] {
            let second = try correction("aachen", "second.parcel", issued: issued, replaces: digest)
            let admission = try sites.admission([first, second])
            #expect(admission.admitted.map(\.parcel.path) == [second] && admission.refused.isEmpty)
            #expect(admission.ignored.map(\.path) == [first])
            #expect(admission.ignored.map(\.reason) == ["aachen replaced it by second.parcel"])
        }
        // A chain of three, in any order.
        let second = file("second.parcel"), next = try Parcel<Nothing>(contentsOf: second).digest
        let third = try sites.parcel("aachen", ["w": Tensor([7, 8], shape: [2])], issued: 90, name: "third.parcel") {
            $0.parcel?.replaces = next
        }
        let chain = try sites.admission([third, first, second])
        #expect(chain.admitted.map(\.parcel.path) == [third] && chain.refused.isEmpty && chain.ignored.count == 2)
        // What was wrong with the earlier one no longer matters.
        let list = try sites.trust(["aachen": "from: 2026-01-01, until: 2027-12-31, largestShare: 1"])
        let audited = try sites.parcel("aachen", ["w": Tensor([5, 6], shape: [2])], name: "audited.parcel") {
            $0.parcel?.replaces = digest
            $0.unaudited = nil
        }
        #expect(try sites.admission([first], trust: list).refused.count == 1)
        let corrected = try sites.admission([first, audited], trust: list)
        #expect(corrected.admitted.map(\.parcel.path) == [audited] && corrected.refused.isEmpty)
    }

    @Test func `nobody replaces another site's parcel, nor does a key that has ended`() throws {
        let first = try sites.parcel("aachen", row), digest = try Parcel<Nothing>(contentsOf: first).digest
        func replacing(_ site: String, _ round: Int = 1) throws -> String {
            try sites.parcel(site, ["w": Tensor([5, 6], shape: [2])], round: round, issued: 60, name: "r.parcel") {
                $0.parcel?.replaces = digest
            }
        }
        let other = try sites.admission([first, try replacing("bonn")])
        #expect(other.admitted.count == 2 && other.ignored.isEmpty)
        let later = try sites.admission([first, try replacing("aachen", 2)], round: 1)
        #expect(later.admitted.map(\.parcel.path) == [first] && later.ignored.isEmpty)
        // A stolen key, which the coordinator has ended, under the name of the site.
        let thief = try HandMadeParcels(["aachen"]), key = try #require(thief.keys["aachen"])
        let stolen = try thief.parcel("aachen", ["w": Tensor([5, 6], shape: [2])], issued: 60, name: "s.parcel") {
            $0.parcel?.replaces = digest
        }
        let own = try #require(sites.keys["aachen"]).publicKey.text
        let usual = "from: 2026-01-01, until: 2027-12-31, unaudited: true, largestShare: 1"
        let text = """
            version: 1
            project: test
            coordinator: \(sites.coordinator.publicKey.text)
            members:
              - {name: aachen, key: \(own), \(usual)}
              - {name: aachen, key: \(key.publicKey.text), from: 2026-01-01, until: 2026-01-31}

            """
        let path = try sites.folder.write(text.utf8, "two-keys.yaml")
        try TrustList.sign(path, with: sites.coordinator)
        let kept = try sites.admission([first, stolen], trust: try TrustList(contentsOf: path))
        #expect(kept.admitted.map(\.parcel.path) == [first] && kept.ignored.isEmpty)
        #expect(kept.refused.map(\.site) == ["aachen"])
    }

    @Test func `what was taken is replaced by a parcel that names it, in the same second, too`() throws {
        let list = try sites.trust(), first = try Parcel<Nothing>(contentsOf: try sites.parcel("aachen", row))
        try ParcelLedger(for: list).note([first])
        let ledger = try ParcelLedger(for: list)
        #expect(ledger.holds(first.digest))
        for replaces in [nil, first.digest] {
            let path = try sites.parcel("aachen", ["w": Tensor([5, 6], shape: [2])], name: "again.parcel") {
                $0.parcel?.replaces = replaces
            }
            let admission = try sites.admission([path], trust: list, ledger: ledger)
            #expect(admission.admitted.count == (replaces == nil ? 0 : 1))
        }
    }
}
