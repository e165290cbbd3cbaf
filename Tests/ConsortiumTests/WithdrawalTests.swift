import CheckpointStore
import Consortium
import Federation
import Files
import Foundation
import Models
import TensorCore
import Testing

/// A site is taken out again.
@Suite struct WithdrawalTests {
    let federation: TestFederation
    init() throws { federation = try TestFederation(["aachen", "bonn", "celle", "dresden"]) }

    private var folder: String { federation.folder.path }
    private func file(_ name: String) -> String { federation.folder.file(name) }

    @discardableResult
    private func merge(
        _ parcels: [String], base: String? = nil, _ settings: MergeRecord.Settings = MergeRecord.Settings(),
        previous: LoadedModel? = nil, to name: String, excludesBad: Bool = false
    ) throws -> String {
        _ = try federation.merge(parcels, settings, base: base, excludesBad: excludesBad).write(
            file(name), previous: previous, key: federation.coordinator, force: false)
        return file(name)
    }

    private func withdraw(_ site: String, from merged: String, to name: String = "without.safetensors") async throws
        -> Withdrawal.Outcome
    {
        try await Withdrawal(site: site, from: merged, parcels: folder).run(
            to: file(name), samples: [], key: federation.coordinator, force: false)
    }

    @Test(arguments: [MergeRecord.Rule.mean, .median, .trimmedMean, .stack, .svd]) func withdrawnIsTheSameAsNeverMerged(
        rule: MergeRecord.Rule
    ) async throws {
        let weights = rule == .stack || rule == .svd ? TestFederation.Weights.lora : .ffa
        let parcels = try ["aachen", "bonn", "celle", "dresden"].enumerated().map {
            try federation.parcel($1, weights, patients: 10 + 30 * $0)
        }
        let merged = try merge(parcels, federation.settings(rule), to: "merged.safetensors")
        let never = try merge([parcels[3], parcels[0], parcels[2]], federation.settings(rule), to: "never.safetensors")
        let outcome = try await withdraw("bonn", from: merged)
        #expect(try Digest(ofFile: never) == Digest(ofFile: file("without.safetensors")))
        #expect(outcome.roundsToRetrain == [] && outcome.round == 1 && !outcome.isBase)
        #expect(
            Set(outcome.models.map { URL(fileURLWithPath: $0).lastPathComponent }) == [
                "bonn-1.parcel", "merged.safetensors",
            ])
        #expect(try Digest(ofFile: merged) != Digest(ofFile: never))
    }

    @Test func capsAndWhatWasLeftOutStayAsTheyWere() async throws {
        try federation.trust(member: [
            "aachen": "from: 2026-01-01, until: 2027-12-31, unaudited: true, largestShare: 0.4"
        ])
        let parcels = try ["aachen", "bonn", "celle"].map {
            try federation.parcel($0, patients: $0 == "aachen" ? 500 : 20)
        }
        let bad = try federation.parcel("dresden") { $0.parcel?.round = 9 }
        let merged = try merge(parcels + [bad], to: "merged.safetensors", excludesBad: true),
            never = try merge([parcels[0], parcels[2], bad], to: "never.safetensors", excludesBad: true)
        // The list has changed since, and a key has ended: the record counts.
        try federation.trust(member: ["celle": "from: 2026-01-01, until: 2026-01-02, unaudited: false"])
        _ = try await withdraw("bonn", from: merged)
        #expect(try Digest(ofFile: never) == Digest(ofFile: file("without.safetensors")))
    }

    @Test func laterRoundsAreNamed() async throws {
        let first = try merge(
            try ["aachen", "bonn", "celle"].map { try federation.parcel($0, .full) }, to: "first.safetensors")
        let one = try LoadedModel(contentsOf: first)
        let second = try merge(
            try ["aachen", "celle"].map { try federation.parcel($0, .full, round: 2, base: one) }, base: first,
            to: "second.safetensors")
        let two = try LoadedModel(contentsOf: second)
        let third = try merge(
            try ["aachen", "bonn"].map { try federation.parcel($0, .full, round: 3, base: two) }, base: second,
            federation.settings { $0.momentum = 0.5 }, previous: one, to: "third.safetensors")
        // In rounds 1 and 3: back to the first base, and rounds 2 and 3 are to be trained again.
        let outcome = try await withdraw("bonn", from: third)
        #expect(outcome.round == 1 && outcome.roundsToRetrain == [2, 3])
        let never = try merge(["aachen", "celle"].map { file("\($0)-1.parcel") }, to: "never.safetensors")
        #expect(try Digest(ofFile: never) == Digest(ofFile: file("without.safetensors")))
        // In the last round alone, with momentum: what the base was merged on is found.
        let again = try merge(
            try ["aachen", "dresden"].map { try federation.parcel($0, .full, round: 3, base: two) }, base: second,
            federation.settings { $0.momentum = 0.5 }, previous: one, to: "again.safetensors")
        let last = try await withdraw("dresden", from: again, to: "last.safetensors")
        #expect(last.roundsToRetrain == [])
        let alone = try merge(
            [file("aachen-3.parcel")], base: second, federation.settings { $0.momentum = 0.5 }, previous: one,
            to: "alone.safetensors")
        #expect(try Digest(ofFile: alone) == Digest(ofFile: file("last.safetensors")))
    }

    @Test func aloneInItsRoundItLeavesTheBase() async throws {
        let merged = try merge([try federation.parcel("aachen")], to: "merged.safetensors")
        let outcome = try await withdraw("aachen", from: merged)
        #expect(outcome.isBase && outcome.digest == federation.base.digest)
        #expect(try Digest(ofFile: file("without.safetensors")) == Digest(ofFile: federation.basePath))
    }

    @Test func whatCannotBeTakenOutSaysSo() async throws {
        let parcels = try ["aachen", "bonn"].map { try federation.parcel($0) },
            merged = try merge(parcels, to: "merged.safetensors")
        #expect(
            (try #require(throws: Failure.self) { try Withdrawal(site: "celle", from: merged, parcels: folder) })
                .sentence.contains("which is not in it"))
        // In the first base's own training.
        let own = await #expect(throws: Failure.self) { try await withdraw("phantom", from: merged) }
        #expect(own?.kind == .checkFailed)
        try FileManager.default.removeItem(atPath: parcels[0])
        let missing = await #expect(throws: Failure.self) { try await withdraw("bonn", from: merged) }
        #expect(missing?.kind == .noSuchInput && missing?.sentence.contains("the parcel of aachen for round 1") == true)
        #expect(!FileManager.default.fileExists(atPath: file("without.safetensors")))
    }

    @Test func theMarkIsSignedAndKeepsTheRestOfTheList() throws {
        let before = try federation.list()
        try TrustList.withdraw("bonn", in: federation.trustPath, with: federation.coordinator)
        let list = try federation.list()
        #expect(list.withdrawn == ["bonn"] && list.members == before.members)
        try TrustList.withdraw("aachen", in: federation.trustPath, with: federation.coordinator)
        #expect(try federation.list().withdrawn == ["aachen", "bonn"])
        let text = try String(contentsOfFile: federation.trustPath, encoding: .utf8)
        #expect(text.contains("withdrawn: [aachen, bonn]\n"))
        let failure = try #require(throws: Failure.self) {
            try TrustList.withdraw("celle", in: federation.trustPath, with: SigningKey())
        }
        #expect(failure.kind == .notPermitted)
        // A model of a withdrawn site is no base any more.
        try federation.trust()
        let merged = try merge(try ["aachen", "bonn"].map { try federation.parcel($0) }, to: "merged.safetensors")
        try federation.trust(withdrawn: ["bonn"])
        let refused = try #require(throws: Failure.self) {
            try SignedBase.require(merged, trust: try federation.list(), at: TestFederation.day)
        }
        #expect(refused.sentence.contains("bonn was withdrawn"))
    }
}
