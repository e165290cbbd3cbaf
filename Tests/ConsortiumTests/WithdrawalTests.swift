import CheckpointStore
import Consortium
import Diffusion
import Federation
import Files
import Foundation
import Models
import Support
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
        -> (plan: Withdrawal.Plan, digest: Digest)
    {
        let plan = try await Withdrawal(site: site, from: merged, parcels: folder).plan()
        return (plan, try Withdrawal.write(plan, to: file(name), key: federation.coordinator, force: false))
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
        let outcome = try await withdraw("bonn", from: merged).plan
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
        let outcome = try await withdraw("bonn", from: third).plan
        #expect(outcome.round == 1 && outcome.roundsToRetrain == [2, 3])
        let never = try merge(["aachen", "celle"].map { file("\($0)-1.parcel") }, to: "never.safetensors")
        #expect(try Digest(ofFile: never) == Digest(ofFile: file("without.safetensors")))
        // In the last round alone, with momentum: what the base was merged on is found.
        let again = try merge(
            try ["aachen", "dresden"].map { try federation.parcel($0, .full, round: 3, base: two) }, base: second,
            federation.settings { $0.momentum = 0.5 }, previous: one, to: "again.safetensors")
        let last = try await withdraw("dresden", from: again, to: "last.safetensors")
        #expect(last.plan.roundsToRetrain == [])
        let alone = try merge(
            [file("aachen-3.parcel")], base: second, federation.settings { $0.momentum = 0.5 }, previous: one,
            to: "alone.safetensors")
        #expect(try Digest(ofFile: alone) == Digest(ofFile: file("last.safetensors")))
    }

    @Test func aloneInItsRoundItLeavesTheBase() async throws {
        let merged = try merge([try federation.parcel("aachen")], to: "merged.safetensors")
        let outcome = try await withdraw("aachen", from: merged)
        #expect(outcome.plan.isBase && outcome.digest == federation.base.digest)
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

    /// The bytes of the list and of its signature.
    private func listBytes() throws -> [Data] {
        try [federation.trustPath, federation.trustPath + ".sig"].map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
    }

    @Test func aPlanChangesNothing() async throws {
        let merged = try merge(try ["aachen", "bonn"].map { try federation.parcel($0) }, to: "merged.safetensors")
        let before = try listBytes(), names = try federation.folder.names
        let plan = try await Withdrawal(site: "bonn", from: merged, parcels: folder).plan()
        #expect(plan.round == 1 && plan.models.count == 2)
        #expect(try federation.folder.names == names)
        #expect(try listBytes() == before)
    }

    @Test func modelAndMarkAreWrittenTogetherOrNeither() async throws {
        let merged = try merge(try ["aachen", "bonn"].map { try federation.parcel($0) }, to: "merged.safetensors")
        let before = try listBytes(), output = file("without.safetensors")
        let plan = try await Withdrawal(site: "bonn", from: merged, parcels: folder).plan()
        func write(_ mark: @escaping () throws -> TrustList.Change?) throws -> Digest {
            try Withdrawal.write(plan, to: output, key: federation.coordinator, force: false, mark: mark)
        }
        let list = try federation.list()
        // The list cannot be changed: there is no model.
        expectFailure(.notPermitted, "coordinator: expected") {
            try write { try list.withdrawing("bonn", reason: "x", with: SigningKey(), at: TestFederation.day) }
        }
        #expect(!FileManager.default.fileExists(atPath: output))
        // Another process writes the model at the last moment: the list is as it was, byte for byte.
        expectFailure(.cannotCreateOutput, "was written by another process in the meantime") {
            try write {
                try Data("other".utf8).write(to: URL(fileURLWithPath: output))
                return try list.withdrawing("bonn", reason: "x", with: federation.coordinator, at: TestFederation.day)
            }
        }
        #expect(try listBytes() == before)
        #expect(try federation.list().withdrawn.isEmpty)
        #expect(try Data(contentsOf: URL(fileURLWithPath: output)) == Data("other".utf8))
        try FileManager.default.removeItem(atPath: output)
        _ = try write {
            try list.withdrawing("bonn", reason: "x", with: federation.coordinator, at: TestFederation.day)
        }
        #expect(try federation.list().withdrawn == ["bonn"])
        #expect(
            try Manifest<ModelDescription>.read(SafetensorsIndex(contentsOf: output), path: output).sites == [
                "aachen", "phantom",
            ])
        #expect(try federation.folder.names.filter { $0.hasSuffix(".part") } == [])
    }

    @Test func aModelOfAWithdrawnSiteIsNotUsed() async throws {
        let merged = try merge(try ["aachen", "bonn"].map { try federation.parcel($0) }, to: "merged.safetensors")
        let sites: Set = ["aachen", "bonn"]
        // Beside the model lies the list, which marks nobody; then it does.
        try WithdrawnSites.refuse(merged, sites: sites, trust: nil)
        let list = try federation.list()
        try list.withdrawing("bonn", reason: "asked", with: federation.coordinator, at: TestFederation.day)?.commit()
        expectFailure(.notPermitted, "bonn was withdrawn (on 2026-11-18: asked), says \(federation.trustPath)") {
            try WithdrawnSites.refuse(merged, sites: sites, trust: nil)
        }
        try WithdrawnSites.refuse(merged, sites: ["aachen"], trust: nil)
        // Elsewhere only a list that is named tells.
        let other = try TemporaryFolder(), copy = other.file("model.safetensors")
        // A list beside the model that its coordinator did not sign says nothing, and is no reason to go on.
        let forged = try TemporaryFolder(), there = forged.file("model.safetensors")
        try FileManager.default.copyItem(atPath: merged, toPath: there)
        let words = try String(contentsOfFile: federation.trustPath, encoding: .utf8)
        try forged.write(words.replacingOccurrences(of: "bonn", with: "born").utf8, "TRUST.yaml")
        expectFailure(.notPermitted, "nobody can say whether a site of the model was withdrawn") {
            try WithdrawnSites.refuse(there, sites: sites, trust: nil)
        }
        try FileManager.default.copyItem(atPath: merged, toPath: copy)
        try WithdrawnSites.refuse(copy, sites: sites, trust: nil)
        expectFailure(.notPermitted, "bonn was withdrawn") {
            try WithdrawnSites.refuse(copy, sites: sites, trust: federation.trustPath)
        }
        try Data("version: 1\n".utf8).write(to: URL(fileURLWithPath: other.file("TRUST.yaml")))
        expectFailure(.notPermitted, "lies beside the model") {
            try WithdrawnSites.refuse(copy, sites: sites, trust: nil)
        }
    }

    @Test func aMarkIsCarriedToTheListsOfRounds() throws {
        for name in ["one", "two"] {
            _ = try Round.begin(
                file(name), base: federation.basePath, trust: federation.trustPath, key: federation.coordinator,
                settings: MergeRecord.Settings(), at: TestFederation.day)
        }
        func carry(_ list: TrustList) -> [String] {
            WithdrawnSites.carry("bonn", from: list, to: folder, with: federation.coordinator, at: TestFederation.day)
                .map { "\($0.path.dropFirst(folder.count)) \($0.problem ?? "done")" }
        }
        let day = TestFederation.day
        try federation.list().withdrawing("bonn", reason: "asked", with: federation.coordinator, at: day)?.commit()
        #expect(carry(try federation.list()) == ["/one/TRUST.yaml done", "/two/TRUST.yaml done"])
        #expect(carry(try federation.list()).isEmpty)
        #expect(
            try TrustList(contentsOf: file("one/TRUST.yaml")).reason(withdrawn: "bonn") == " (on 2026-11-18: asked)")
        try federation.list().takingBack("bonn", reason: "a mistake", with: federation.coordinator, at: day).commit()
        #expect(carry(try federation.list()).count == 2)
        #expect(try TrustList(contentsOf: file("two/TRUST.yaml")).withdrawn.isEmpty)
    }

    @Test func theMarkIsSignedAndKeepsTheRestOfTheList() throws {
        let before = try federation.list()
        func mark(_ site: String, _ key: SigningKey) throws {
            try federation.list().withdrawing(site, reason: nil, with: key, at: TestFederation.day)?.commit()
        }
        try mark("bonn", federation.coordinator)
        let list = try federation.list()
        #expect(list.withdrawn == ["bonn"] && list.members == before.members)
        try mark("aachen", federation.coordinator)
        #expect(try federation.list().withdrawn == ["aachen", "bonn"])
        let text = try String(contentsOfFile: federation.trustPath, encoding: .utf8)
        #expect(text.contains("withdrawn: [aachen, bonn]\n"))
        let failure = try #require(throws: Failure.self) {
            try mark("celle", SigningKey())
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
