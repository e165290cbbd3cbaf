import CheckpointStore
import Consortium
import Diffusion
import Federation
import Files
import Foundation
import Models
import Networks
import TensorCore
import TestTensors
import Support
import Testing

/// Attacks on how the checks work together: each of these was possible once.
@Suite struct SubtleAttackTests {
    let federation: TestFederation
    init() throws { federation = try TestFederation() }

    private func refusal(_ body: () throws -> Void) throws -> Failure {
        try #require(throws: Failure.self, performing: body)
    }

    private func honest(_ names: [String] = ["bonn", "celle", "dresden", "essen"]) throws -> [String] {
        try names.map { try federation.parcel($0) }
    }

    private func edited(
        _ path: String, to name: String, as type: StoredType = .f32, _ change: (inout Safetensors) -> Void
    ) throws -> String {
        var file = try Safetensors(contentsOf: path)
        change(&file)
        return try federation.folder.write(file.encoded(as: type), name)
    }

    /// What most parcels are is asked of those that are signed and trusted.
    @Test func unsignedFilesDoNotDecideWhatIsMerged() throws {
        let full = try federation.parcel("aachen", .full)
        let junk = try (0..<6).map { number in
            try edited(full, to: "junk-\(number).parcel") {
                $0.metadata["fovea.signature"] = nil; $0.tensors = [:]
            }
        }
        let merge = try federation.merge(junk + [full] + honest(["bonn", "celle"]), excludesBad: true)
        #expect(merge.admission.admitted.map(\.parcel.statement.site) == ["bonn", "celle"])
        #expect(merge.admission.refused.filter { $0.site == nil }.count == 6)
        #expect(
            merge.admission.refused.first { $0.site == "aachen" }?.failure.sentence.contains(
                "kind: expected fovea.adapter") == true)
    }

    /// A name in a file that nobody signed is nobody's.
    @Test func aForgedNameStandsForNobody() throws {
        let forged = try federation.parcel("aachen", key: SigningKey())
        let merge = try federation.merge(try honest() + [forged], excludesBad: true)
        #expect(merge.admission.refused.map(\.site) == [nil])
    }

    /// A signed file has one form: nobody makes a second one that counts as another parcel of the site.
    @Test func aCopyWithMoreMetadataIsRefused() throws {
        let path = try federation.parcel("aachen"),
            copy = try edited(path, to: "copy.parcel") { $0.metadata["x"] = "y" }
        #expect(
            try refusal { _ = try federation.merge(try honest() + [copy]) }.sentence.contains(
                "metadata: expected fovea and fovea.signature alone"))
        let merge = try federation.merge(try honest() + [path, copy], excludesBad: true)
        #expect(merge.admission.admitted.count == 5)
        // The same content in other bytes is the same parcel.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let length = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
        bytes.insert(contentsOf: [UInt8](repeating: 0x20, count: 8), at: 8 + length)
        let longer = length + 8
        for i in 0..<3 { bytes[i] = UInt8(longer >> (8 * i) & 255) }
        let padded = try federation.folder.write(bytes, "padded.parcel")
        #expect(
            try Parcel<ModelDescription>(contentsOf: padded).digest == Parcel<ModelDescription>(contentsOf: path).digest
        )
        let once = try federation.merge(try honest() + [path, padded]).admission
        #expect(once.admitted.count == 5 && once.ignored.map(\.path) == [padded])
    }

    /// Another's numbers in another form are another's numbers.
    @Test func numbersThatAreStoredOtherwiseAreTheSame() throws {
        let paths = try honest(),
            half = try Safetensors(contentsOf: paths[0]).tensors.mapValues { tensor in
                Tensor(tensor.elements.map { Float(Float16($0)) }, shape: tensor.shape)
            }
        let own = try federation.parcel("bonn", tensors: half)
        var manifest = federation.manifest("aachen", .ffa, patients: 40)
        manifest.parcel = federation.statement("aachen")
        manifest.unaudited = "a test"
        let stolen = federation.folder.file("stolen.parcel")
        try ModelFile.write(
            stolen, manifest, half.mapValues { tensor in TensorSource(shape: tensor.shape) { tensor } }, as: .f16,
            force: false, key: federation.keys["aachen"])
        #expect(
            try refusal { _ = try federation.merge([own, stolen] + paths.dropFirst()) }.sentence.contains(
                "holds the same tensors as another: aachen, bonn"))
        // With a little noise the screening sees it.
        let noisy = try federation.parcel(
            "aachen", tensors: half.mapValues { $0 + randomTensor($0.shape, seed: 9, scale: 1e-5) })
        let outliers = try federation.merge([own, noisy] + paths.dropFirst()).screening().outliers
        #expect(
            outliers.map(\.name) == ["aachen", "bonn"]
                && outliers[0].reasons[0].contains("to bonn: one may be a copy of the other"))
    }

    @Test func trainingDataAreTheSitesOwn() throws {
        for change in [
            { (m: inout Manifest<ModelDescription>) in m.trainingData[0].site = "celle" },
            { $0.trainingData.append(TestFederation.data("celle", patients: 500)) },
            { $0.trainingData.append(TestFederation.data("\u{1b}]0;x", patients: 5)) },
        ] {
            let failure = try refusal {
                _ = try federation.merge(try honest() + [try federation.parcel("aachen", change: change)])
            }
            #expect(
                failure.kind == .badData && failure.sentence.contains("trainingData.site: expected aachen")
                    && !failure.sentence.contains("\u{1b}"))
        }
        // What the base says of its data is not said anew by a parcel.
        let path = try federation.parcel("aachen") { manifest in
            var washed = TestFederation.data("phantom", patients: 5)
            washed.inherited = true
            washed.licence = "washed"
            manifest.trainingData.append(washed)
        }
        let manifest = try federation.merge([path]).manifest(residual: nil)
        #expect(manifest.trainingData.filter { $0.site == "phantom" } == federation.base.manifest.trainingData)
    }

    @Test func aWithdrawnSiteInAParcelsLineageIsRefused() throws {
        try federation.trust(withdrawn: ["celle"])
        let path = try federation.parcel("aachen") { manifest in
            var inherited = TestFederation.data("celle", patients: 5)
            inherited.inherited = true
            manifest.trainingData.append(inherited)
        }
        #expect(
            try refusal { _ = try federation.merge([path]) }.sentence.contains(
                "celle was withdrawn, and these weights come from it, too"))
    }

    @Test func sealingKeepsWhereTheBaseComesFrom() throws {
        var manifest = federation.manifest("aachen", .full, patients: 40)
        var older = TestFederation.data("bonn", patients: 70)
        older.inherited = true
        manifest.trainingData.append(older)
        let file = ModelFile(manifest: manifest, tensors: federation.tensors(.full, seed: 1)),
            path = federation.folder.file("sealed.parcel")
        let key = try #require(federation.keys["aachen"])
        _ = try ParcelSeal.seal(
            file, path: "w", statement: federation.statement("aachen"), unaudited: "a test", key: key, to: path,
            as: .f32, force: false)
        let merge = try federation.merge([path])
        #expect(merge.admission.admitted[0].parcel.manifest.sites == ["aachen", "bonn"])
        #expect(merge.admission.admitted[0].size.patients == 40)
    }

    @Test(arguments: [
        "2026-9-30", "2026-09-31", "2026-01-01T00:00:00Z junk", "2026-01-0１", " 2026-01-01", "2026-01-01 ",
    ]) func daysHaveOneForm(day: String) throws {
        #expect(Permissions(purposes: ["DUO:0000042"], expires: day).problem != nil)
        #expect(Day.noon(day) == nil)
        expectFailure(.badData, "members aachen until: expected a day such as 2026-01-31, found ") {
            try federation.trust(member: ["aachen": "from: 2026-01-01, until: \"\(day)\""])
        }
        // The list is whole again, so that it is the parcel that is refused.
        try federation.trust()
        let path = try federation.parcel("aachen") { $0.parcel?.issued = "\(day)T00:00:00Z" }
        expectFailure(.badData, "parcel.issued: expected a moment such as 2026-01-31T12:00:00Z, found ") {
            try federation.merge([path])
        }
    }

    @Test(arguments: [
        "# c\ra: &a [x]\rb: [*a, *a]\n", "a: \"\n\" \nb: &a [x]\nc: [*a, *a]\n", "# c\u{2028}a: &a [x]\u{2028}b: *a\n",
    ]) func aliasesBehindOtherLineEnds(yaml: String) {
        expectFailure(.badData, "uses a YAML anchor or alias") { try YAMLText.parse(yaml, name: "x") }
    }

    @Test func namesInAListThatLookAlike() throws {
        for name in ["Aachen", "BONN", "b0nn", "ce11e"] {
            let text = try String(contentsOfFile: federation.trustPath, encoding: .utf8)
            let more = text.replacingOccurrences(
                of: "withdrawn",
                with:
                    """
                      - {name: \(name), key: \(SigningKey().publicKey.text), from: 2026-01-01, until: \
                    2027-12-31}\nwithdrawn
                    """
            )
            let path = try federation.folder.write(Data(more.utf8), "LIST.yaml")
            #expect(
                try refusal { try TrustList.sign(path, with: federation.coordinator) }.sentence.contains(
                    "names that do not look alike"))
        }
    }

    /// Two factors of 300 multiply.
    @Test func aProductOfLargeFactorsIsLarge() throws {
        var tensors = federation.tensors(.lora, seed: 3)
        for (name, tensor) in tensors { tensors[name] = tensor.scaled(by: 3e4) }
        #expect(
            try refusal {
                _ = try federation.merge(
                    [try federation.parcel("aachen", .lora, tensors: tensors)], federation.settings(.stack))
            }.sentence.contains("norm of the update"))
    }

    @Test func recordsThatNoMergeWroteAreRefused() throws {
        let digest = federation.base.digest
        func record(_ change: (inout MergeRecord) -> Void) -> MergeRecord {
            var record = MergeRecord(
                round: 1, base: digest, settings: MergeRecord.Settings(),
                parts: [
                    MergeRecord.Part(
                        site: "aachen", parcel: digest, tensors: digest, weight: 1, largestShare: 0.5, patients: 5,
                        images: 5, singleSite: false)
                ], excluded: [], day: "2026-01-31",
                residual: nil)
            change(&record)
            return record
        }
        #expect(record { _ in }.problem == nil)
        for change in [
            { (r: inout MergeRecord) in r.round = .max }, { $0.round = -5 }, { $0.parts[0].weight = -1e308 },
            { $0.parts[0].largestShare = -1 }, { $0.parts.append($0.parts[0]) },
            { $0.settings.trim = 5 }, { $0.settings.clip = -1 }, { $0.day = "2026-9-30" }, { $0.parts[0].site = "<b>" },
            { $0.parts = [] },
        ] {
            let (file, _) = try ModelFile.read(federation.basePath)
            var manifest = file.manifest
            manifest.merges = [record(change)]
            let path = federation.folder.file("hostile.safetensors")
            try WeightsFile(manifest: manifest, tensors: file.tensors).write(path, as: .f32, force: true)
            #expect(try refusal { _ = try LoadedModel(contentsOf: path) }.kind == .badData)
        }
        var (file, _) = try ModelFile.read(federation.basePath)
        file.manifest.imagesSeen = .max
        try file.write(federation.folder.file("hostile.safetensors"), as: .f32, force: true)
        #expect(
            try refusal { _ = try LoadedModel(contentsOf: federation.folder.file("hostile.safetensors")) }.sentence
                .contains("imagesSeen"))
    }

    /// A record that names a parcel of other shapes reads nothing out of bounds.
    @Test func aRecordOfAnotherParcelIsRefused() async throws {
        let parcels = try ["aachen", "bonn"].map { try federation.parcel($0, .full) }
        var tensors = federation.tensors(.full, seed: 4)
        let name = try #require(tensors.keys.sorted().first), count = try #require(tensors[name]?.count)
        tensors[name] = .zeros([count + 1_000_000])
        let longer = try federation.parcel("celle", .full, tensors: tensors),
            merged = federation.folder.file("merged.safetensors")
        let merge = try federation.merge(parcels)
        var manifest = try merge.manifest(residual: nil)
        manifest.merges?[0].parts[0].parcel = try Parcel<ModelDescription>(contentsOf: longer).digest
        manifest.merges?[0].parts[0].site = "celle"
        try ModelFile.write(
            merged, manifest, federation.base.parameters.fileSources(), as: .f32, force: false,
            key: federation.coordinator)
        let failure = await #expect(throws: Failure.self) {
            try await Withdrawal(site: "bonn", from: merged, parcels: federation.folder.path).plan()
        }
        #expect(failure?.kind == .badData && failure?.sentence.contains("mismatched: \(name)") == true)
    }

    // MARK: - Permissions

    @Test func tamperedParcelsAreNotSampled() throws {
        let path = try federation.parcel("aachen")
        func widened(_ file: inout Safetensors) {
            file.metadata["fovea"] = file.metadata["fovea"]?.replacingOccurrences(
                of: "\"singleSite\":false", with: "\"singleSite\":true")
        }
        for unsigned in [false, true] {
            let forged = try edited(path, to: "forged.parcel") {
                widened(&$0)
                if unsigned { $0.metadata["fovea.signature"] = nil }
            }
            #expect(
                try refusal { _ = try federation.base.mixing([(name: "x", path: forged, weight: 0.5)]) }.kind
                    == .notPermitted)
        }
        let full = try federation.parcel("aachen", .full), forged = try edited(full, to: "full.parcel") { widened(&$0) }
        #expect(try refusal { _ = try LoadedModel(contentsOf: forged) }.kind == .notPermitted)
        #expect(
            try refusal { try LoadedModel(contentsOf: full).requirePermission(purpose: nil, at: TestFederation.day) }
                .sentence.contains("aachen is 1 of the model"))
    }

    @Test func trainingOnDoesNotFreeASite() throws {
        let merged = federation.folder.file("merged.safetensors")
        _ = try federation.merge([try federation.parcel("bonn")]).write(
            merged, key: federation.coordinator, force: false)
        let (file, digest) = try ModelFile.read(merged)
        var manifest = file.manifest
        manifest.trainingData =
            [TestFederation.data("celle", patients: 40)]
            + manifest.trainingData.map { set in
                var set = set
                set.inherited = true
                return set
            }
        manifest.parents = [digest.description] + manifest.parents
        let path = federation.folder.file("trained.safetensors")
        try WeightsFile(manifest: manifest, tensors: file.tensors).write(path, as: .f32, force: false)
        #expect(
            try refusal { try LoadedModel(contentsOf: path).requirePermission(purpose: nil, at: TestFederation.day) }
                .sentence.contains("bonn is 1 of the model"))
    }

    @Test func oneListHasOneLedger() throws {
        let new = try federation.parcel("aachen", issued: 60), merge = try federation.merge([new])
        try ParcelLedger(for: try federation.list()).note(merge.admission.admitted.map(\.parcel))
        let link = federation.folder.file("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: federation.folder.path)
        let other = try ParcelLedger(for: try TrustList(contentsOf: "\(link)/TRUST.yaml"))
        let old = try federation.parcel(
            "aachen", issued: 0, name: "old.parcel", tensors: federation.tensors(.ffa, seed: 8))
        #expect(try refusal { _ = try federation.merge([old], ledger: other) }.sentence.contains("is replayed"))
    }

    @Test func whoIsNotAskedIsNotMerged() throws {
        let folder = federation.folder.file("round")
        let round = try Round.begin(
            folder, base: federation.basePath, trust: federation.trustPath, key: federation.coordinator,
            sites: ["aachen", "bonn"], settings: MergeRecord.Settings(), at: TestFederation.day)
        for site in ["aachen", "bonn", "celle"] {
            try FileManager.default.moveItem(
                atPath: try federation.parcel(site), toPath: "\(round.parcelFolder)/\(site).parcel")
        }
        let ledger = try ParcelLedger(for: try federation.list())
        func close(_ key: SigningKey, excludesBad: Bool) throws -> ModelMerge {
            try round.close(
                key: key, isEarly: false, excludesBad: excludesBad, previous: nil, ledger: ledger,
                at: TestFederation.day
            ) { _ in }.merge
        }
        #expect(
            try refusal { _ = try close(federation.coordinator, excludesBad: false) }.sentence.contains(
                "site: expected aachen, bonn, whom the round asks, found celle"))
        #expect(
            try refusal { _ = try close(try #require(federation.keys["bonn"]), excludesBad: true) }.kind
                == .notPermitted)
        #expect(!round.isClosed)
        #expect(
            try close(federation.coordinator, excludesBad: true).admission.admitted.map(\.parcel.statement.site) == [
                "aachen", "bonn",
            ])
        #expect(round.isClosed)
        // A list of an unsigned base with a withdrawn site begins nothing.
        try federation.trust(withdrawn: ["phantom"])
        expectFailure(.notPermitted, "withdrawn") {
            try Round.begin(
                federation.folder.file("other"), base: federation.basePath, trust: federation.trustPath,
                key: federation.coordinator, settings: MergeRecord.Settings(), at: TestFederation.day)
        }
        #expect(!FileManager.default.fileExists(atPath: federation.folder.file("other")))
    }
}
