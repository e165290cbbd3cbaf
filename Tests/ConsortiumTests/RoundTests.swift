import CheckpointStore
import Consortium
import Diffusion
import Federation
import Files
import Foundation
import Models
import Support
import TensorCore
import Networks
import Testing

/// Rounds that are exchanged as files: who has delivered, and what else lies in the folder.
@Suite struct RoundTests {
    let federation: TestFederation
    let round: Round
    init() throws {
        federation = try TestFederation(["aachen", "bonn", "celle"])
        round = try Round.begin(
            federation.folder.file("round"), base: federation.basePath, trust: federation.trustPath,
            key: federation.coordinator, settings: MergeRecord.Settings(), at: TestFederation.day)
    }

    /// Seals a parcel into the folder of the round.
    @discardableResult
    private func deliver(
        _ site: String, as name: String? = nil, issued: TimeInterval = 0, seed: UInt64 = 1,
        change: (inout Manifest<ModelDescription>) -> Void = { _ in }
    ) throws -> String {
        let path = try federation.parcel(
            site, issued: issued, name: "one.parcel",
            tensors: federation.tensors(.ffa, seed: seed &+ UInt64(site.utf8.reduce(0) { $0 + Int($1) })),
            change: change)
        let place = "\(round.parcelFolder)/\(name ?? site).parcel"
        try FileManager.default.moveItem(atPath: path, toPath: place)
        return place
    }

    private func status() throws -> Round.Status { try round.status(at: TestFederation.day) }

    private func states(_ status: Round.Status) -> [String] {
        status.deliveries.map { "\($0.site) \($0.state.rawValue) \($0.file ?? "-")" }
    }

    @discardableResult
    private func close(isEarly: Bool = false, excludesBad: Bool = false) throws -> ModelMerge {
        try round.close(
            key: federation.coordinator, isEarly: isEarly, excludesBad: excludesBad, previous: nil,
            ledger: try ParcelLedger(for: round.trust), at: TestFederation.day
        ) { _ in }.merge
    }

    @Test func `each site has one state, and a refused parcel is its site's`() throws {
        try deliver("aachen")
        try FileManager.default.copyItem(
            atPath: "\(round.parcelFolder)/aachen.parcel", toPath: "\(round.parcelFolder)/copy.parcel")
        try deliver("bonn") { $0.parcel?.permissions.expires = "2026-01-01" }
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: "\(round.parcelFolder)/x.parcel"))
        let found = try status()
        #expect(states(found) == ["aachen delivered aachen.parcel", "bonn refused bonn.parcel", "celle missing -"])
        #expect(found.deliveries[1].reason == "its permissions ended on 2026-01-01")
        #expect(found.others.map(\.file) == ["copy.parcel", "x.parcel"])
        #expect(found.others.first?.reason == "does not count: is a copy of aachen.parcel")
        #expect(found.findings.isEmpty)
    }

    @Test func `whoever closes learns at once what is missing and what is refused`() throws {
        try deliver("aachen")
        try deliver("bonn") { $0.parcel?.permissions.expires = "2026-01-01" }
        let failure = expectFailure(
            .checkFailed,
            "round 1 waits for bonn, celle; bonn.parcel is refused: its permissions ended on 2026-01-01"
        ) { try close() }
        #expect(failure?.remedy == .closeEarlyWithoutRefused)
        let merged = try close(isEarly: true, excludesBad: true)
        #expect(merged.admission.admitted.map(\.parcel.statement.site) == ["aachen"])
        let found = try status()
        #expect(states(found) == ["aachen merged aachen.parcel", "bonn left-out -", "celle missing -"])
        #expect(
            found.others.map(\.reason) == ["not merged: left out at the closing, its permissions ended on 2026-01-01"])
    }

    @Test func `a copy or a replaced parcel stops nothing, and what comes after the closing was not merged`() throws {
        let first = try deliver("aachen"), digest = try Parcel<ModelDescription>(contentsOf: first).digest
        try deliver("aachen", as: "second", issued: 60, seed: 50) { $0.parcel?.replaces = digest }
        for site in ["bonn", "celle"] { try deliver(site) }
        try FileManager.default.copyItem(
            atPath: "\(round.parcelFolder)/bonn.parcel", toPath: "\(round.parcelFolder)/copy.parcel")
        let merged = try close()
        #expect(merged.admission.admitted.count == 3 && merged.admission.ignored.count == 2)
        try deliver("bonn", as: "late", issued: 90, seed: 70)
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: "\(round.parcelFolder)/x.parcel"))
        let found = try status()
        #expect(
            states(found) == [
                "aachen merged second.parcel", "bonn merged bonn.parcel", "celle merged celle.parcel",
            ])
        #expect(
            found.others.map { "\($0.file): \($0.reason)" } == [
                "aachen.parcel: not merged: aachen replaced it before the closing",
                "copy.parcel: does not count: is a copy of bonn.parcel",
                "late.parcel: arrived after closing, not merged, a parcel of bonn",
                "x.parcel: arrived after closing, not merged",
            ])
        // The same bytes as a merge of the three alone.
        let again = federation.folder.file("again.safetensors")
        _ = try federation.merge(
            ["second", "bonn", "celle"].map { "\(round.parcelFolder)/\($0).parcel" }, base: round.basePath
        ).write(again, key: federation.coordinator, force: false)
        #expect(try Digest(ofFile: again) == Digest(ofFile: round.mergedPath))
    }

    /// The start of files that may not be there. None has a name that gives it away.
    static let intruders: [(content: [UInt8], what: String)] = [
        ([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A, 0], "is a data set"),
        ([UInt8](repeating: 0, count: 1024) + [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A], "is a data set"),
        (Array("fovea-private-key-1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n".utf8), "is a private key"),
        ([0xFF, 0xD8, 0xFF, 0xE0], "is a picture (JPEG)"), ([0x89, 0x50, 0x4E, 0x47], "is a picture (PNG)"),
        ([UInt8](repeating: 0, count: 128) + Array("DICM".utf8), "is a picture (DICOM)"),
        (Array("PK".utf8) + [3, 4], "is an archive (ZIP)"), (Array("GIF89a".utf8), "is a picture (GIF)"),
        (Array("BM".utf8) + [1, 2, 3, 4], "is a picture (BMP)"), (Array("%PDF-1.7".utf8), "is a PDF document"),
        (Array("SQLite format 3".utf8) + [0], "is a database"), ([0xD0, 0xCF, 0x11, 0xE0], "is an Office document"),
        ([0x93] + Array("NUMPY".utf8), "is a NumPy array"), (Array("fovea.samples 1\n".utf8), "is a sample set"),
        (Array("{\"samples\":\"x\",\"flagged\":[],\"scores\":{}}".utf8), "is from the private folder of an audit"),
        (
            Array("[{\"isFlagged\":true,\"sample\":1,\"test\":\"pixels\",\"training\":\"row 7\"}]".utf8),
            "is from the private folder of an audit"
        ),
        (Array("<html><img src=\"data:image/jpeg;base64,x\"></html>".utf8), "is a page with pictures"),
        (Array("<html><p>Private: shows patients.</p></html>".utf8), "is a page of an import or of an audit"),
        (
            Array("{\"site\":\"a\",\"onePatientPerPhoto\":false,\"refused\":[],\"duplicates\":[]}".utf8),
            "is the report of an import"
        ),
    ]

    @Test(arguments: intruders.indices, ["parcels/delivery.parcel", "deep/down/notes.txt"])
    func `what never leaves a site is named by its content, and the round is not closed`(number: Int, name: String)
        throws
    {
        for site in ["aachen", "bonn", "celle"] { try deliver(site) }
        #expect(try status().findings.isEmpty)
        let (content, what) = Self.intruders[number]
        let path = try federation.folder.write(content, "round/\(name)")
        let found = try status()
        #expect(found.findings.map(\.place) == [name])
        #expect(found.findings.first?.problem.hasPrefix(what) == true, "\(found.findings)")
        let failure = expectFailure(.notPermitted, "take it away from here") { try close() }
        #expect(failure?.place == path && !round.isClosed)
        try FileManager.default.removeItem(atPath: path)
        try close()
        #expect(round.isClosed)
    }

    @Test func `weights that saw patients and that nobody sealed are named`() throws {
        for site in ["aachen", "bonn", "celle"] { try deliver(site) }
        var manifest = federation.manifest("aachen", .full, patients: 40)
        let sources = federation.tensors(.full, seed: 3).mapValues { tensor in
            TensorSource(shape: tensor.shape) { tensor }
        }
        let path = federation.folder.file("round/run.safetensors")
        try ModelFile.write(path, manifest, sources, as: .f32, force: true, key: nil)
        let found = try status().findings
        #expect(found.map(\.place) == ["run.safetensors"])
        #expect(found.first?.problem.contains("were not sealed") == true, "\(found)")
        // Weights of drawn pictures alone may lie there.
        for row in manifest.trainingData.indices { manifest.trainingData[row].synthetic = true }
        try ModelFile.write(path, manifest, sources, as: .f32, force: true, key: nil)
        #expect(try status().findings.isEmpty)
    }

    @Test func `a parcel that the round would refuse is not sealed for it`() throws {
        func refusal(_ change: (inout ParcelStatement) -> Void) throws -> Failure {
            var statement = federation.statement("aachen")
            statement.base = round.request.base.description
            change(&statement)
            return try #require(throws: Failure.self) {
                try round.requireAsked(statement, path: "w", output: "\(round.parcelFolder)/new.parcel")
            }
        }
        #expect(try refusal { $0.site = "delft" }.sentence.contains("expected aachen, bonn, celle, whom"))
        #expect(try refusal { $0.round = 2 }.sentence.hasPrefix("round: expected 1, as"))
        #expect(try refusal { $0.base = "other" }.sentence.hasPrefix("base: expected \(round.request.base)"))
        let first = try deliver("aachen"), digest = try Parcel<ModelDescription>(contentsOf: first).digest
        let second = try refusal { _ in }
        #expect(second.place == first && second.remedy == .replaceParcel)
        var statement = federation.statement("aachen")
        statement.base = round.request.base.description
        // The same file is replaced, or the statement says which parcel it replaces.
        try round.requireAsked(statement, path: "w", output: first)
        statement.replaces = digest
        try round.requireAsked(statement, path: "w", output: "\(round.parcelFolder)/new.parcel")
        for site in ["bonn", "celle"] { try deliver(site) }
        try close()
        #expect(try refusal { $0.replaces = digest }.sentence == "is closed: the round takes no more parcels")
    }

    @Test func `a round says how to train, and its settings are those that were signed for`() throws {
        var training = Round.Training()
        (training.adapter, training.images, training.purposes) = (.full, 640, ["DUO:0000042"])
        func begin(_ name: String, _ training: Round.Training, settings: Data?) throws -> Round {
            try Round.begin(
                federation.folder.file(name), base: federation.basePath, trust: federation.trustPath,
                key: federation.coordinator, settings: MergeRecord.Settings(), training: training,
                trainingSettings: settings, guide: { "round \($0.round) of \($1.project)\n" }, at: TestFederation.day)
        }
        let asked = try begin("asked", training, settings: Data("learningRate: 1e-3\n".utf8))
        let opened = try Round(asked.folder)
        #expect(opened.request.training?.adapter == .full && opened.request.training?.images == 640)
        let path = try #require(try opened.settingsPath())
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "learningRate: 1e-3\n")
        #expect(try String(contentsOfFile: asked.folder + "/README.md", encoding: .utf8) == "round 1 of test\n")
        try Data("learningRate: 1\n".utf8).write(to: URL(fileURLWithPath: path))
        expectFailure(.notPermitted, "digest: expected") { try opened.settingsPath() }
        // A round that asks for nothing has the form of version 0.1.
        let json = try String(contentsOfFile: round.folder + "/round.json", encoding: .utf8)
        #expect(!json.contains("training") && round.request.training == nil)
        training.images = 0
        expectFailure(.usage, "images: expected 1 to") { try begin("none", training, settings: nil) }
        expectFailure(.usage, "expected 2026-11-18 or later, found 2026-11-17") {
            try Round.begin(
                federation.folder.file("late"), base: federation.basePath, trust: federation.trustPath,
                key: federation.coordinator, deadline: "2026-11-17", settings: MergeRecord.Settings(),
                at: TestFederation.day)
        }
    }
}
