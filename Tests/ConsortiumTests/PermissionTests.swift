import CheckpointStore
import Files
import Foundation
import Models
import TensorCore
import Support
import Testing

/// What may be sampled, and what for.
@Suite struct PermissionTests {
    let federation: TestFederation
    init() throws { federation = try TestFederation(["aachen", "bonn", "celle"]) }

    private func merged(_ sites: [(name: String, patients: Int, permissions: Permissions)]) throws -> LoadedModel {
        let path = federation.folder.file("merged.safetensors")
        _ = try federation.merge(
            try sites.map { try federation.parcel($0.name, patients: $0.patients, permissions: $0.permissions) }
        ).write(path, key: nil, force: true)
        return try LoadedModel(contentsOf: path)
    }

    private func refusal(_ model: LoadedModel, _ purpose: String?, at moment: Date = TestFederation.day) throws
        -> Failure?
    {
        do {
            try model.requirePermission(purpose: purpose, at: moment)
            return nil
        } catch let failure as Failure { return failure }
    }

    @Test func purposesAndDaysAreTheSitesOwn() throws {
        let both = ["DUO:0000042", "DUO:0000006"] as Set
        let model = try merged([
            ("aachen", 50, Permissions(purposes: both, expires: "2027-06-30")),
            ("bonn", 50, Permissions(purposes: ["DUO:0000042"], expires: "2027-01-31", redistribution: true)),
        ])
        #expect(model.manifest.permissions == Permissions(purposes: ["DUO:0000042"], expires: "2027-01-31"))
        #expect(try refusal(model, "DUO:0000042") == nil)
        #expect(try refusal(model, nil) == nil)
        let refused = try refusal(model, "DUO:0000006")
        #expect(refused?.option == "purpose")
        #expect(refused?.sentence == "expected DUO:0000042, found DUO:0000006")
        #expect(try refusal(model, "DUO:0000006")?.kind == .notPermitted)
        #expect(try refusal(model, "research")?.kind == .usage)
        let late = try Date("2027-02-01T00:00:00Z", strategy: .iso8601)
        #expect(try refusal(model, nil, at: late)?.sentence == "its permissions ended on 2027-01-31")
    }

    @Test func permissionsOfTheBaseStay() throws {
        let narrow = Permissions(purposes: ["DUO:0000042"], expires: "2026-12-31", territories: ["DE"])
        let own = try TestFederation(["aachen"], permissions: narrow)
        let path = own.folder.file("m.safetensors")
        _ = try own.merge([
            try own.parcel("aachen", permissions: Permissions(purposes: ["DUO:0000042"], redistribution: true))
        ]).write(path, key: nil, force: false)
        #expect(try LoadedModel(contentsOf: path).manifest.permissions == narrow)
        expectFailure(.notPermitted, "the permissions of the base and of aachen have no purpose or no territory") {
            try own.merge([
                try own.parcel("aachen", permissions: Permissions(purposes: ["DUO:0000042"], territories: ["FR"]))
            ])
        }
    }

    @Test func oneSiteAloneNeedsItsWord() throws {
        let closed = Permissions(purposes: ["DUO:0000042"]),
            open = Permissions(purposes: ["DUO:0000042"], singleSite: true)
        // Shares of 0.9 and 0.1 of a merge.
        #expect(
            try refusal(try merged([("aachen", 90, closed), ("bonn", 10, open)]), nil)?.sentence.contains(
                "aachen is 0.9 of the model and does not permit") == true)
        #expect(try refusal(try merged([("aachen", 90, open), ("bonn", 10, closed)]), nil) == nil)
        #expect(try refusal(try merged([("aachen", 80, closed), ("bonn", 20, closed)]), nil) == nil)
        #expect(try refusal(try merged([("aachen", 40, closed)]), nil)?.kind == .notPermitted)
        // The same for a mixture of parcels.
        let parcels = try [("aachen", closed), ("bonn", open)].map {
            (name: $0.0, path: try federation.parcel($0.0, permissions: $0.1))
        }
        func mixture(_ a: Double, _ b: Double) throws -> LoadedModel {
            try federation.base.mixing([
                (name: "aachen", path: parcels[0].path, weight: a), (name: "bonn", path: parcels[1].path, weight: b),
            ])
        }
        #expect(try refusal(try mixture(0.81, 0.19), nil)?.kind == .notPermitted)
        #expect(try refusal(try mixture(0.8, 0.2), nil) == nil)
        #expect(try refusal(try mixture(0.1, 0.9), nil) == nil)
        #expect(try refusal(try mixture(0.5, 0.5), "DUO:0000006")?.kind == .notPermitted)
    }

    @Test func sharesOfSitesAreThoseOfTheMerge() throws {
        let some = Permissions(purposes: ["DUO:0000042"])
        let model = try merged([("aachen", 30, some), ("bonn", 10, some)])
        #expect(model.siteShares.map(\.name) == ["aachen", "bonn", "phantom"])
        #expect(model.siteShares.map(\.weight) == [0.75, 0.25, 0])
        let mixed = try model.mixing([
            (name: "x", path: try federation.parcel("celle", round: 2, base: model), weight: 0.5)
        ])
        #expect(mixed.siteShares.map(\.name) == ["aachen", "bonn", "celle", "phantom"])
        #expect(mixed.siteShares.map(\.weight) == [0.375, 0.125, 0.5, 0])
    }
}
