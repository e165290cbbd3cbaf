import CheckpointStore
import Diffusion
import Federation
import Files
import Foundation
import Models
import TensorCore
import TestTensors
import Support
import Testing

/// One attack, one file, one reason. Each stands among four honest parcels: the merge stops and writes nothing, and
/// with `excludesBad` it goes on without the attacker alone.
@Suite struct AttackTests {
    let federation: TestFederation
    let honest: [String]

    init() throws {
        federation = try TestFederation()
        honest = try ["bonn", "celle", "dresden", "essen"].map { [federation] in try federation.parcel($0) }
    }

    /// - Parameter alsoExcluded: honest sites that go with the attacker, because nobody can tell which is which.
    private func expectRefused(
        _ path: String, _ kind: Failure.Kind, _ reason: String, alsoExcluded: Set<String> = [],
        ledger: ParcelLedger? = nil, at moment: Date = TestFederation.day,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let failure = try #require(throws: Failure.self, sourceLocation: sourceLocation) {
            try federation.merge(honest + [path], ledger: ledger, at: moment)
        }
        #expect(failure.kind == kind, "\(failure)", sourceLocation: sourceLocation)
        #expect(failure.description.contains(reason), "\(failure)", sourceLocation: sourceLocation)
        let rest = try federation.merge([path] + honest, excludesBad: true, ledger: ledger, at: moment)
        #expect(
            rest.admission.admitted.map(\.parcel.statement.site)
                == ["bonn", "celle", "dresden", "essen"].filter { !alsoExcluded.contains($0) },
            sourceLocation: sourceLocation)
        #expect(
            rest.admission.refused.contains { $0.failure.sentence.contains(reason) }, sourceLocation: sourceLocation)
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }
    private func write(_ data: Data, _ name: String = "attack.parcel") throws -> String {
        try federation.folder.write(data, name)
    }

    /// A parcel with other tensors under the same, or another, signature.
    private func edited(_ path: String, _ change: (inout Safetensors) -> Void) throws -> String {
        var file = try Safetensors(contentsOf: path)
        change(&file)
        return try write(file.encoded(as: .f32))
    }

    /// A safetensors file with this header, word for word, and so many zeros behind it.
    private func raw(_ header: String, zeros: Int) throws -> String {
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
        return try write(length + Data(header.utf8) + Data(count: zeros))
    }

    @Test func forgedSignature() throws {
        let path = try federation.parcel("aachen")
        let other =
            try JSONSerialization.jsonObject(
                with: Data(try #require(try SafetensorsIndex(contentsOf: path).metadata["fovea.signature"]).utf8))
            as? [String: String]
        var signature = try #require(other)
        signature["signature"] = Data(repeating: 7, count: 64).base64EncodedString()
        let forged = String(decoding: try JSONSerialization.data(withJSONObject: signature), as: UTF8.self)
        try expectRefused(
            try edited(path) { $0.metadata["fovea.signature"] = forged }, .notPermitted, "the signature does not fit")
    }

    @Test func swappedPayload() throws {
        let path = try federation.parcel("aachen"),
            other = try Safetensors(
                contentsOf: try federation.parcel(
                    "aachen", name: "other.parcel", tensors: federation.tensors(.ffa, seed: 99)))
        try expectRefused(try edited(path) { $0.tensors = other.tensors }, .notPermitted, "the signature does not fit")
    }

    @Test func wrongBase() throws {
        let path = try federation.parcel("aachen") { $0.parcel?.base = String(repeating: "ab", count: 32) }
        try expectRefused(path, .badData, "base: expected \(federation.base.digest), found abab")
    }

    @Test func aParentThatIsNotTheBase() throws {
        let path = try federation.parcel("aachen") { $0.parents = [String(repeating: "cd", count: 32)] }
        try expectRefused(path, .badData, "parents: expected the base that its statement names")
    }

    private func poisoned(_ value: Float) throws -> String {
        var tensors = federation.tensors(.ffa, seed: 3)
        let name = try #require(tensors.keys.sorted().last), shape = try #require(tensors[name]?.shape)
        var elements = try #require(tensors[name]?.elements)
        elements[elements.count - 1] = value
        tensors[name] = Tensor(elements, shape: shape)
        return try federation.parcel("aachen", tensors: tensors)
    }

    @Test func notANumber() throws {
        try expectRefused(try poisoned(.nan), .badData, "expected finite numbers, found infinity or NaN")
    }
    @Test func infinity() throws {
        try expectRefused(try poisoned(-.infinity), .badData, "expected finite numbers, found infinity or NaN")
    }
    @Test func hugeNorm() throws {
        try expectRefused(
            try poisoned(1e30), .badData, "norm of the update: expected at most 10 times that of the base's weights")
    }

    /// It is finite and of the usual size: the screening names it, and `--strict` stops the merge.
    @Test func signFlippedUpdate() throws {
        let flipped = federation.tensors(.ffa, seed: 3).mapValues { $0.scaled(by: -1) }
        let merge = try federation.merge(honest + [try federation.parcel("aachen", tensors: flipped)])
        let screening = try merge.screening()
        #expect(screening.state == "done")
        #expect(screening.outliers.map(\.name) == ["aachen"])
        let failure = try #require(throws: Failure.self) { try screening.requireNone() }
        #expect(failure.kind == .notPermitted && failure.sentence.contains("aachen has cosine -"))
    }

    @Test func extraTensor() throws {
        var tensors = federation.tensors(.ffa, seed: 3)
        tensors["backdoor"] = .zeros([2])
        try expectRefused(try federation.parcel("aachen", tensors: tensors), .badData, "unexpected: backdoor")
    }

    @Test func missingTensor() throws {
        var tensors = federation.tensors(.ffa, seed: 3)
        let name = try #require(tensors.keys.sorted().first)
        tensors[name] = nil
        try expectRefused(try federation.parcel("aachen", tensors: tensors), .badData, "missing: \(name)")
    }

    @Test func wrongShape() throws {
        var tensors = federation.tensors(.ffa, seed: 3)
        let name = try #require(tensors.keys.sorted().first), shape = try #require(tensors[name]?.shape)
        tensors[name] = tensors[name]?.reshaped(shape.reversed())
        try expectRefused(try federation.parcel("aachen", tensors: tensors), .badData, "mismatched: \(name)")
    }

    @Test func overlappingOffsets() throws {
        let header =
            #"""
            {"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},\#
            "b":{"dtype":"F32","shape":[4],"data_offsets":[8,24]}}
            """#
        try expectRefused(try raw(header, zeros: 24), .badData, "overlap or gap")
    }

    @Test func headerBomb() throws {
        let bomb = withUnsafeBytes(of: UInt64.max.littleEndian) { Data($0) } + Data("{}".utf8)
        try expectRefused(try write(bomb), .badData, "header: expected at most")
        let deep = String(repeating: "[", count: 200_000)
        try expectRefused(
            try raw(#"{"__metadata__":{"fovea":"\#(deep)"}}"#, zeros: 0), .badData, "manifest: is not valid JSON")
        try expectRefused(
            try raw(String(repeating: #"{"a":"#, count: 50_000), zeros: 0), .badData, "not a valid safetensors file")
    }

    @Test func pathInATensorsName() throws {
        var tensors = federation.tensors(.ffa, seed: 3)
        tensors["../../etc/passwd\u{1b}[31m"] = .zeros([1])
        let failure = try #require(throws: Failure.self) {
            try federation.merge([try federation.parcel("aachen", tensors: tensors)])
        }
        #expect(failure.sentence.contains("unexpected: ../../etc/passwd") && !failure.sentence.contains("\u{1b}"))
    }

    @Test func replayedRound() throws {
        try expectRefused(
            try federation.parcel("aachen", round: 3), .notPermitted,
            "round: expected 1, found 3: it is replayed, or early")
        // What was merged does not come back with the base that it made.
        let merged = federation.folder.file("merged.safetensors")
        _ = try federation.merge(honest).write(merged, key: federation.coordinator, force: false)
        let base = try LoadedModel(contentsOf: merged)
        let again = try federation.parcel("bonn", tensors: try Safetensors(contentsOf: honest[0]).tensors, base: base) {
            $0.parcel?.round = 2
        }
        let failure = try #require(throws: Failure.self) { try federation.merge([again], base: merged) }
        #expect(
            failure.kind == .notPermitted && failure.sentence.contains("is replayed: it was merged in round 1 already"))
    }

    @Test func replayWithinARound() throws {
        let ledger = { try ParcelLedger(for: try federation.list()) }
        let old = try federation.parcel("aachen", issued: 0, name: "old.parcel"),
            new = try federation.parcel(
                "aachen", issued: 60, name: "new.parcel", tensors: federation.tensors(.ffa, seed: 8))
        let merge = try federation.merge(honest + [new], ledger: try ledger())
        try ledger().note(merge.admission.admitted.map(\.parcel))
        try expectRefused(old, .notPermitted, "is replayed: a parcel of aachen for round 1", ledger: try ledger())
        // What was taken can be merged again, by another rule.
        _ = try federation.merge(honest + [new], federation.settings(.median), ledger: try ledger())
    }

    @Test func expiredKey() throws {
        try federation.trust(member: ["aachen": "from: 2026-01-01, until: 2026-10-01, unaudited: true"])
        try expectRefused(
            try federation.parcel("aachen"), .notPermitted, "the key of aachen counts from 2026-01-01 to 2026-10-01")
    }

    @Test func expiredPermissions() throws {
        let ended = Permissions(purposes: ["DUO:0000042"], expires: "2026-10-01")
        try expectRefused(
            try federation.parcel("aachen", permissions: ended), .notPermitted, "its permissions ended on 2026-10-01")
    }

    @Test func revokedSite() throws {
        try federation.trust(withdrawn: ["aachen"])
        try expectRefused(try federation.parcel("aachen"), .notPermitted, "aachen was withdrawn")
    }

    @Test func permissionsWidenedAfterSigning() throws {
        let path = try federation.parcel("aachen")
        try expectRefused(
            try edited(path) {
                $0.metadata["fovea"] = $0.metadata["fovea"]?.replacingOccurrences(
                    of: "\"redistribution\":false", with: "\"redistribution\":true")
            },
            .notPermitted, "the signature does not fit")
    }

    @Test func inflatedPatientCounts() throws {
        // More than its own cohort counts bear out,
        let path = try federation.parcel("aachen") { $0.trainingData[0].patients = 4_000 }
        try expectRefused(path, .badData, "patients: expected at most")
        // more than the list allows,
        try federation.trust(member: [
            "aachen": "from: 2026-01-01, until: 2027-12-31, unaudited: true, mostPatients: 50"
        ])
        try expectRefused(
            try federation.parcel("aachen", patients: 60), .notPermitted,
            "patients: expected at most 50, after the list of trust, found 60")
        // and what is believed is capped.
        try federation.trust(member: ["aachen": "from: 2026-01-01, until: 2027-12-31, unaudited: true"])
        let merge = try federation.merge(honest + [try federation.parcel("aachen", patients: 1_000_000)])
        #expect(merge.shares[0] == 0.5)
    }

    @Test(arguments: [0, -5, Int.max, 20_000_000]) func patientCountsThatAreNone(count: Int) throws {
        let path = try federation.parcel("aachen") { $0.trainingData[0].patients = count }
        try expectRefused(path, .badData, "patients: expected")
    }

    @Test func countsThatOverflowTogether() throws {
        let path = try federation.parcel("aachen") { manifest in
            manifest.trainingData = (0..<3).map { _ in
                TestFederation.data("aachen", patients: 9_000_000)
            }
        }
        try expectRefused(path, .badData, "patients: expected at most 10000000")
    }

    @Test func negativeImages() throws {
        try expectRefused(try federation.parcel("aachen") { $0.imagesSeen = -1 }, .badData, "imagesSeen: expected")
    }

    @Test func aliasBombInTheList() throws {
        let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
        try Data(bomb.utf8).write(to: URL(fileURLWithPath: federation.trustPath))
        let failure = try #require(throws: Failure.self) { try federation.list() }
        #expect(failure.kind == .badData && failure.sentence.contains("anchor or alias"))
    }

    @Test func scriptsAndEscapesInNamesAndContacts() throws {
        for name in ["<script>alert(1)</script>", "aachen\u{1b}]0;x\u{7}", "aachen\n"] {
            let path = try federation.parcel("aachen") { $0.parcel?.site = name }
            let failure = try #require(throws: Failure.self) { try federation.merge(honest + [path]) }
            #expect(failure.kind == .badData && failure.sentence.contains("site: expected 1 to 64 letters"))
            #expect(!failure.description.contains("\u{1b}") && !failure.description.contains("\n"))
        }
        // A contact is free text: it comes through as it is, and is made harmless where it is shown.
        let path = try federation.parcel("aachen") { $0.parcel?.contact = "\u{1b}[2J<b>me</b>" }
        #expect(try Parcel<ModelDescription>(contentsOf: path).statement.contact.printable.contains("\u{1b}") == false)
    }

    @Test func aBaseThatTheCoordinatorDidNotSign() throws {
        let (file, _) = try ModelFile.read(federation.basePath)
        for (key, reason) in [
            (nil, "is unsigned"), (SigningKey(), "signer unknown"),
            (federation.keys["bonn"], "signer: expected a coordinator, found bonn, a site"),
        ] {
            let path = federation.folder.file("base-2.safetensors")
            try ModelFile.write(
                path, file.manifest, file.tensors.mapValues { tensor in TensorSource(shape: tensor.shape) { tensor } },
                as: .f32, force: true, key: key)
            let failure = try #require(throws: Failure.self) { try federation.merge(honest, base: path) }
            #expect(failure.kind == .notPermitted && failure.sentence.contains(reason), "\(failure)")
        }
    }

    @Test func twoParcelsOfOneSite() throws {
        let first = try federation.parcel("aachen", name: "a1.parcel"),
            second = try federation.parcel("aachen", name: "a2.parcel", tensors: federation.tensors(.ffa, seed: 4))
        let failure = try #require(throws: Failure.self) { try federation.merge(honest + [first, second]) }
        #expect(failure.kind == .notPermitted && failure.sentence.contains("is one of 2 different parcels of aachen"))
        let rest = try federation.merge(honest + [first, second], excludesBad: true)
        #expect(rest.admission.admitted.count == 4 && rest.admission.refused.count == 2)
        // Of two that were issued one after the other the later one counts.
        let later = try federation.parcel(
            "aachen", issued: 5, name: "a3.parcel", tensors: federation.tensors(.ffa, seed: 5))
        let kept = try federation.merge(honest + [first, later], excludesBad: true)
        #expect(kept.admission.admitted.first?.parcel.path == later)
        // The same file twice counts once.
        let copy = federation.folder.file("copy.parcel")
        try FileManager.default.copyItem(atPath: first, toPath: copy)
        let once = try federation.merge(honest + [first, copy]).admission
        #expect(once.admitted.count == honest.count + 1 && once.ignored.map(\.path) == [copy])
    }

    /// A site hands in another's work as its own.
    @Test func renamedParcel() throws {
        let stolen = try Safetensors(contentsOf: honest[0]).tensors
        let path = try federation.parcel("aachen", tensors: stolen)
        try expectRefused(
            path, .notPermitted, "holds the same tensors as another: aachen, bonn", alsoExcluded: ["bonn"])
        let other = try federation.parcel("aachen", key: federation.keys["bonn"])
        try expectRefused(other, .notPermitted, "site: expected bonn, whose key signed, found aachen")
    }

    @Test(arguments: ["\u{430}achen", "aаchen", "aachen\u{200b}", "ａａｃｈｅｎ", "aaсhen"]) func namesThatLookLikeAnother(
        name: String
    ) throws {
        let path = try federation.parcel("aachen") { $0.parcel?.site = name }
        try expectRefused(path, .badData, "site: expected 1 to 64 letters, digits, - _ . of ASCII")
    }

    @Test func anotherNetwork() throws {
        let path = try federation.parcel("aachen") { $0.model.height = 32 }
        try expectRefused(path, .badData, "model: expected what the base is")
        let scaled = try federation.parcel("aachen") { $0.model.adapter?.scale = 100 }
        try expectRefused(scaled, .badData, "model.adapter: expected an adapter of kind ffa")
    }

    @Test func unauditedWhereTheListTakesNone() throws {
        try federation.trust(member: ["aachen": "from: 2026-01-01, until: 2027-12-31"])
        try expectRefused(try federation.parcel("aachen"), .notPermitted, "has no audit (a test)")
    }

    @Test func aKeyOfAnotherRole() throws {
        try federation.trust(member: [
            "aachen": "from: 2026-01-01, until: 2027-12-31, unaudited: true, role: privacy-officer"
        ])
        try expectRefused(
            try federation.parcel("aachen"), .notPermitted, "role of aachen: expected site, found privacy-officer")
    }

    @Test func permissionsWithNothingInCommon() throws {
        let path = try federation.parcel("aachen", permissions: Permissions(purposes: ["DUO:0000006"]))
        let failure = try #require(throws: Failure.self) { try federation.merge(honest + [path]) }
        #expect(failure.kind == .notPermitted)
        #expect(
            failure.sentence.contains("the permissions of aachen and of bonn have no purpose or no territory in common")
        )
        // Which of them should go is for people to say.
        expectFailure(.notPermitted, "the permissions of aachen and of bonn have no purpose or no territory in common")
        {
            try federation.merge(honest + [path], excludesBad: true)
        }
    }

    /// Whoever can write to the coordinator's disk changes a parcel between its check and the merge.
    @Test func aParcelThatChangesWhileItIsMerged() throws {
        let path = try federation.parcel("aachen"), merge = try federation.merge(honest + [path])
        let size = try bytes(path).count
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try handle.seek(toOffset: UInt64(size - 3))
        try handle.write(contentsOf: Data([1, 2, 3]))
        try handle.close()
        let failure = try #require(throws: Failure.self) { try merge.merged() }
        #expect(failure.kind == .notPermitted && failure.sentence.contains("was changed while it was merged"))
        // A stick that is pulled out.
        #expect(truncate(path, off_t(size / 2)) == 0)
        #expect((try #require(throws: Failure.self) { try merge.merged() }).kind == .readOrWriteFailed)
    }
}
