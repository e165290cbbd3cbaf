import CheckpointStore
import Consortium
import Federation
import Files
import Foundation
import Fovea
import Support
import Testing

/// The jobs of a federation, as another package uses them.
@Suite struct FederationJobTests {
    let folder: TemporaryFolder
    init() async throws {
        folder = try TemporaryFolder()
        for name in ["coordinator", "aachen", "bonn"] { _ = try await MakeKeyJob(to: file("\(name).key")).outcome() }
        let days = "from: 2026-01-01, until: 2099-12-31"
        let members = [
            "  - {name: aachen, key: \(try key("aachen")), \(days), unaudited: true}\n",
            "  - {name: bonn, key: \(try key("bonn")), \(days)}\n",
        ]
        try folder.write(
            "version: 1\nproject: test\ncoordinator: \(try key("coordinator"))\nmembers:\n\(members.joined())".utf8,
            "TRUST.yaml")
        var signing = TrustListJob(file("TRUST.yaml"))
        signing.key = file("coordinator.key")
        _ = try await signing.outcome()
    }

    private func file(_ name: String) -> String { folder.file(name) }

    private func key(_ name: String) throws -> String {
        try String(contentsOfFile: file("\(name).key.pub"), encoding: .utf8).split(separator: "\n").last.map(
            String.init) ?? ""
    }

    private func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: file(name))) }

    private func phantoms(_ site: String) async throws -> String {
        var job = PhantomJob(patients: 20, seed: 3, to: file("\(site).h5"))
        (job.size, job.site) = (32, site)
        return try await job.outcome().output
    }

    @Test func `a key says whose it is, to inspect, too`() async throws {
        let shown = try await ShowKeyJob(file("aachen.key")).outcome(),
            open = try await ShowKeyJob(file("aachen.key.pub")).outcome()
        #expect(shown.fingerprint == open.fingerprint && shown.sort != open.sort)
        #expect(shown.lines[0].contains("a private key") && open.lines[0].contains("a public key"))
        #expect(try open.publicKey == key("aachen") && open.warnings.isEmpty)
        #expect(try await InspectJob(file("aachen.key.pub")).outcome().lines == open.lines)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file("aachen.key"))
        #expect(try await ShowKeyJob(file("aachen.key")).outcome().warnings.count == 1)
    }

    @Test func `a parcel is not sealed for no purpose, one that there is not, or a day that has passed`() throws {
        var job = SealJob("w", key: "k", site: "aachen", round: 1, to: "p")
        expectFailure(
            .usage, "expected what the weights may be used for, at least one code, found none; the codes are DUO"
        ) {
            try job.validate()
        }
        job.purposes = ["DUO:0000042", "DUO:9999999"]
        expectFailure(.usage, "expected a code of the Data Use Ontology, found \"DUO:9999999\"") { try job.validate() }
        job.purposes = ["DUO:0000042"]
        try job.validate()
        job.expires = "2020-01-01"
        #expect(expectFailure(.usage, "found 2020-01-01") { try job.validate() }?.option == "expires")
        job.expires = Day.text(Date())
        try job.validate()
    }

    @Test func `a mark is tried, set, and taken back`() async throws {
        let before = try bytes("TRUST.yaml")
        var job = MarkSiteJob(.mark, site: "bonn", trust: file("TRUST.yaml"), key: file("coordinator.key"))
        (job.reason, job.isDryRun) = ("asked", true)
        let tried = try await job.outcome()
        #expect(tried.marked && tried.dryRun && tried.lines.last == "nothing was written; this was a dry run")
        #expect(try bytes("TRUST.yaml") == before)
        job.isDryRun = false
        #expect(try await job.outcome().changed)
        #expect(try await job.outcome().changed == false)
        (job.act, job.reason) = (.takeBack, "a mistake")
        let back = try await job.outcome()
        #expect(!back.marked && back.history.map(\.reason) == ["asked", "a mistake"])
        job = MarkSiteJob(.mark, site: "bohn", trust: file("TRUST.yaml"), key: file("coordinator.key"))
        await expectLaterFailure(.usage, "expected aachen, bonn, found bohn") { try await job.outcome() }
    }

    @Test func `a round's folder brings what a training and a parcel need, and refuses what it would refuse`()
        async throws
    {
        let settings = try folder.write(
            "batchSize: 4\ncheckpointEveryImages: 1000\nvalidateEveryImages: 1000\npreviewEveryImages: 1000\n".utf8,
            "train.yaml")
        var training = TrainJob(data: [try await phantoms("lab")], to: file("base"))
        (training.wishes.preset, training.wishes.size, training.wishes.images) = (.tiny, 32, 4)
        training.wishes.config = settings
        let base = try await training.outcome().snapshot
        var begin = BeginRoundJob(
            file("round"), base: base, trust: file("TRUST.yaml"), key: file("coordinator.key"))
        (begin.training.adapter, begin.training.images, begin.config) = (.full, 8, settings)
        _ = try await begin.outcome()
        for site in ["aachen", "bonn"] {
            var own = TrainJob(data: [try await phantoms(site)], to: file("run-\(site)"))
            own.roundFolder = file("round")
            #expect(try await own.outcome().imagesSeen == 8)
        }
        let text = try String(contentsOfFile: file("run-aachen/config.yaml"), encoding: .utf8)
        #expect(text.contains("tunesEverything: true") && text.contains("batchSize: 4"))
        func seal(_ site: String) -> SealJob {
            var job = SealJob(
                file("run-\(site)/snapshot.safetensors"), key: file("\(site).key"), site: site, round: nil,
                to: file("round/parcels/\(site).parcel"))
            (job.purposes, job.unaudited) = (["DUO:0000042"], "phantoms")
            return job
        }
        let sealed = try await seal("aachen").outcome()
        #expect(sealed.round == 1 && sealed.checked)
        // The list does not take weights without an audit from bonn: nothing is sealed.
        await expectLaterFailure(.notPermitted, "has no audit (phantoms), and") { try await seal("bonn").outcome() }
        #expect(!FileManager.default.fileExists(atPath: file("round/parcels/bonn.parcel")))
        let status = try await RoundStatusJob(file("round")).outcome()
        #expect(status.deliveries.map(\.state) == [.delivered, .missing] && status.refusal == nil)
        var closing = CloseRoundJob(file("round"), key: file("coordinator.key"))
        closing.isEarly = true
        #expect(try await closing.outcome().warnings.first?.contains("holds the weights of aachen alone") == true)
        // A model beside a list that marks its site is not sampled, and is no base.
        var mark = MarkSiteJob(.mark, site: "aachen", trust: file("TRUST.yaml"), key: file("coordinator.key"))
        #expect(try await mark.outcome().markedLists.isEmpty)
        #expect(try TrustList(contentsOf: file("round/TRUST.yaml")).withdrawn.isEmpty)
        // A mark that was set before reaches the rounds once they are named.
        mark.rounds = folder.path
        let carried = try await mark.outcome()
        #expect(!carried.changed && carried.markedLists.count == 1)
        #expect(try TrustList(contentsOf: file("round/TRUST.yaml")).withdrawn == ["aachen"])
        var sampling = SampleJob(
            model: ModelSource(file("run-aachen/snapshot.safetensors")), .count(1, cohorts: []), to: file("s.h5"))
        sampling.steps = 2
        sampling.trust = file("TRUST.yaml")
        await expectLaterFailure(.notPermitted, "aachen was withdrawn") { try await sampling.outcome() }
        sampling.trust = nil
        _ = try await sampling.outcome()
        try FileManager.default.moveItem(
            atPath: file("run-aachen/snapshot.safetensors"), toPath: file("beside.safetensors"))
        sampling.model = ModelSource(file("beside.safetensors"))
        sampling.replaces = true
        await expectLaterFailure(.notPermitted, "aachen was withdrawn") { try await sampling.outcome() }
        var further = TrainJob(data: [file("lab.h5")], to: file("further"))
        (further.wishes.base, further.wishes.images) = (file("beside.safetensors"), 4)
        await expectLaterFailure(.notPermitted, "aachen was withdrawn") { try await further.outcome() }
        var export = ExportModelJob(file("beside.safetensors"), to: file("unet"))
        export.unaudited = "phantoms"
        await expectLaterFailure(.notPermitted, "aachen was withdrawn") { try await export.outcome() }
    }
}
