import CheckpointStore
import EvaluationPages
import Files
import Foundation
import Releasing
import SampleStore
import Support
import TestFigures
import Testing
import Verdicts

/// A sample set, an audit of it that was made by hand, and the officer who signed it.
struct Audited {
    let folder = try! TemporaryFolder()
    let officer = SigningKey()
    let digest: Digest
    static let count = 12

    private static func marked() throws -> String {
        let record = CanaryRecord(
            digest: Digest(of: [3]).description, count: 100, included: 50, repetitions: 1, seed: 4)
        return #"{"canaries": \#(try JSONText.encoded(record)), "parents": [], "trainingData": []}"#
    }

    var samples: String { folder.file("s.h5") }
    var audit: String { folder.file("audit") }

    /// - Parameters:
    ///   - seeds: of the samples; nil for one seed that all share.
    ///   - flagged: rows that the audit flags.
    ///   - originals: of each sample the row of its original; nil where none is a counterfactual.
    ///   - canaries: whether the model was trained with some.
    init(
        seeds: [UInt64]? = nil, flagged: [Int] = [3], originals: [Int?]? = nil, canaries: Bool = false,
        isSigned: Bool = true,
        date: String = Day.text(Date()),
        spoil: (inout AuditFigures) -> Void = { _ in }
    ) async throws {
        let model = ModelRecord(
            digest: Digest(of: [1]),
            manifestJSON: canaries ? try Audited.marked() : #"{"parents": [], "trainingData": []}"#,
            lineageJSON: try Lineage(
                model: Digest(of: [1]).description, imagesSeen: nil, parents: [], sites: [], parcels: [],
                trainingSets: []
            ).json(), provJSON: "{}")
        let run = RunRecord(
            modelDigest: model.digest, sampler: "heun",
            schedule: #"{"rho": 7, "sigma_max": 80, "sigma_min": 0.002, "steps": 18}"#, steps: 18, guidance: 1,
            openBLASVersion: "0", blasCore: "none",
            kernelISA: "none", started: Date(timeIntervalSince1970: 0))
        let writer = try SampleSetWriter(
            path: folder.file("s.h5"), width: 8, height: 8, run: run, model: model,
            terms: Terms(licence: "CC", attribution: "", permittedUses: "any", contact: "nobody"))
        try await writer.append(
            (0..<Audited.count).map { row in
                SampleRecord(
                    pixels: [UInt8](repeating: UInt8(10 * row), count: 192), seed: seeds?[row] ?? 5,
                    index: seeds == nil ? UInt64(row) : 0, original: originals?[row])
            })
        try await writer.finish()
        digest = try await SampleSetFile.contentDigest(folder.file("s.h5"))
        let rows = flagged.map { #"{"index": \#($0), "score": 9, "test": "retina"}"# }.joined(separator: ", ")
        let list = #"{"flagged": [\#(rows)], "samples": "\#(digest)", "scores": {}}"#
        var figures = try MadeFigures.passing()
        figures.samples.digest = digest
        figures.samples.count = Audited.count
        figures.flaggedDigest = Digest(of: Array(list.utf8))
        spoil(&figures)
        let audit = PublicAudit(figures, date: date)
        for name in ["public", "private"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder.file("audit"))/\(name)", withIntermediateDirectories: true)
        }
        try folder.write(list.utf8, "audit/private/flagged.json")
        try folder.write(
            try AuditFolder.pretty(PrivateDigests(training: Digest(of: [8]), holdout: Digest(of: [9]))).utf8,
            "audit/private/digests.json")
        try folder.write(try audit.encoded(), "audit/public/audit.json")
        try folder.write(AuditPage(audit).html.source.utf8, "audit/public/audit.html")
        if isSigned { try sign() }
    }

    /// Signs the audit as its officer does after reading it.
    func sign(_ key: SigningKey? = nil) throws {
        let folder = AuditFolder(audit)
        _ = try folder.sign(key ?? officer, reviewed: try folder.review().digest, date: "2026-02-01")
    }

    func release(key: SigningKey? = nil, evaluation: String? = nil) async throws -> Release.Outcome {
        let officer = officer.publicKey
        return try await Release(samples, audit: audit, evaluation: evaluation, key: key ?? self.officer) { signer in
            guard signer == officer else { throw Failure(.notPermitted, nil, "is no privacy officer") }
        }.write(to: folder.file("r.h5"), force: false)
    }

    /// The sentence with which a release is refused.
    func refusal() async throws -> String {
        do {
            _ = try await release()
            return "released"
        } catch let failure as Failure {
            #expect(failure.kind == .notPermitted)
            #expect(!FileManager.default.fileExists(atPath: folder.file("r.h5")))
            return failure.description
        }
    }
}

@Suite struct ReleaseTests {
    @Test func `a released set lacks the flagged samples, is renumbered and signed, and its chain holds`() async throws
    {
        let audited = try await Audited(seeds: (0..<12).map { 100 + UInt64($0) })
        let outcome = try await audited.release()
        #expect(outcome.samples == 11 && outcome.dropped == 1 && outcome.isReplayable)
        let path = audited.folder.file("r.h5"), file = try await SampleSetFile.open(path)
        #expect(file.isReleasable && file.count == 11)
        let before = try await SampleSetFile.open(audited.samples)
        #expect(file.digests == before.digests.enumerated().filter { $0.offset != 3 }.map(\.element))
        // Seeds of the kept samples stay, and the one that was dropped is nowhere.
        let kept: [UInt64] = [100, 101, 102, 104, 105, 106, 107, 108, 109, 110, 111]
        #expect(file.seeds == kept)
        let checked = try await ReleaseChain.check(path)
        #expect(checked.findings.isEmpty && checked.signers?.officer == audited.officer.publicKey)
    }

    /// A flagged counterfactual shows the eye of its original, and so do the other counterfactuals of that.
    @Test func `an eye is left out whole, and links lead to the rows that are left`() async throws {
        let originals: [Int?] = [nil, 0, 0, nil, 3, 3, nil, 6, 6, nil, 9, 9]
        let seeds = (0..<12).map { UInt64(100 + $0 / 3) }
        let audited = try await Audited(seeds: seeds, flagged: [4], originals: originals)
        let outcome = try await audited.release()
        #expect(outcome.samples == 9 && outcome.dropped == 3 && outcome.isReplayable)
        let file = try await SampleSetFile.open(audited.folder.file("r.h5"))
        #expect(file.seeds == [100, 100, 100, 102, 102, 102, 103, 103, 103])
        #expect((0..<9).map { file.original(row: $0) } == [nil, 0, 0, nil, 3, 3, nil, 6, 6])
        let findings = try await ReleaseChain.check(file.path).findings
        #expect(findings.isEmpty)
    }

    @Test func `a released set carries its evaluation under its signature, and that of another set is refused`()
        async throws
    {
        let audited = try await Audited(flagged: [])
        func evaluation(of digest: Digest, _ name: String) throws -> (folder: String, text: String) {
            func side(_ name: String, _ digest: Digest?) -> EvaluationRecord.Side {
                EvaluationRecord.Side(
                    name: name, site: nil, pictures: 12, patients: digest == nil ? 12 : nil, digest: digest)
            }
            let text = try JSONText.encoded(
                EvaluationRecord(
                    samples: side("s.h5", digest), training: side("site.h5", nil), tests: [], date: "2026-02-01"))
            try FileManager.default.createDirectory(
                atPath: audited.folder.file(name), withIntermediateDirectories: true)
            try audited.folder.write(text.utf8, "\(name)/\(EvaluationFolder.figures)")
            return (audited.folder.file(name), text)
        }
        let other = try evaluation(of: Digest(of: [7]), "other")
        await expectLaterFailure(.badData, "expected an evaluation of \(audited.digest)") {
            try await audited.release(evaluation: other.folder)
        }
        let own = try evaluation(of: audited.digest, "own")
        _ = try await audited.release(evaluation: own.folder)
        let path = audited.folder.file("r.h5"), released = try await SampleSetFile.open(path)
        var record = try #require(released.release)
        #expect(record.evaluation == own.text)
        let findings = try await ReleaseChain.check(path).findings
        #expect(findings.isEmpty)
        // The same set with another evaluation, which nobody signed.
        record.evaluation = other.text
        let forged = audited.folder.file("forged.h5")
        let writer = try SampleSetWriter(
            path: forged, width: 8, height: 8, run: released.runs[0], model: released.models[0],
            terms: released.terms, created: released.created, release: record)
        try await writer.append(
            (0..<Audited.count).map { row in
                SampleRecord(pixels: [UInt8](repeating: UInt8(10 * row), count: 192), seed: 5, index: UInt64(row))
            })
        try await writer.finish()
        let places = try await ReleaseChain.check(forged).findings.map(\.place)
        #expect(places.contains("/audit/evaluation"))
    }

    @Test func `another set under the same signatures is found`() async throws {
        let audited = try await Audited(flagged: [])
        _ = try await audited.release()
        let released = try await SampleSetFile.open(audited.folder.file("r.h5")),
            record = try #require(released.release)
        // The same record, and one sample that nobody audited.
        let path = audited.folder.file("forged.h5")
        let writer = try SampleSetWriter(
            path: path, width: 8, height: 8, run: released.runs[0], model: released.models[0], terms: released.terms,
            created: released.created, release: record)
        try await writer.append(
            (0..<Audited.count).map { row in
                SampleRecord(
                    pixels: [UInt8](repeating: row == 4 ? 1 : UInt8(10 * row), count: 192), seed: 5, index: UInt64(row))
            })
        try await writer.finish()
        let places = try await ReleaseChain.check(path).findings.map(\.place)
        #expect(places == ["content"])
    }

    @Test func `seeds that lead to what was dropped are removed`() async throws {
        let audited = try await Audited()
        let outcome = try await audited.release()
        #expect(!outcome.isReplayable)
        let file = try await SampleSetFile.open(audited.folder.file("r.h5"))
        let places = Array(UInt64(0)..<11), all = Array(UInt64(0)..<12)
        #expect(Set(file.seeds) == [0])
        #expect(file.indices == places)
        expectFailure(.badData, "was released without its seeds") { try ReleaseChain.requireReplayable(file) }
        let whole = try await Audited(flagged: [])
        #expect(try await whole.release().isReplayable)
        let kept = try await SampleSetFile.open(whole.folder.file("r.h5"))
        #expect(kept.indices == all)
        #expect(Set(kept.seeds) == [5])
    }

    @Test func `an audit that failed, lacks power, is of another set or too old is refused`() async throws {
        let failed = try await Audited { $0.flagged.confirmed = 1 }
        #expect(try await failed.refusal().contains("verdict is fail"))
        let powerless = try await Audited { $0.control = nil }
        #expect(try await powerless.refusal().contains("verdict is no-power"))
        let foreign = try await Audited { $0.samples.digest = Digest(of: [7]) }
        #expect(try await foreign.refusal().contains("expected an audit of"))
        let elsewhere = try await Audited { $0.training.inLineage = .no }
        #expect(try await elsewhere.refusal().contains("did not learn from"))
        let canaries = try await Audited(canaries: true)
        #expect(try await canaries.refusal().contains("trained with canaries"))
        let stale = try await Audited(date: "2020-01-31")
        #expect(try await stale.refusal().contains("is stale"))
    }

    @Test func `an audit that was edited or is unsigned is refused, and so is another list of flagged samples`()
        async throws
    {
        let edited = try await Audited(), path = edited.folder.file("audit/public/audit.json")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try edited.folder.write(
            text.replacingOccurrences(of: "\"hits\" : 0", with: "\"hits\" : 1").utf8, "audit/public/audit.json")
        #expect(try await edited.refusal().contains("is not what"))
        try FileManager.default.removeItem(atPath: path + ".sig")
        #expect(try await edited.refusal().contains("is not signed"))
        let list = try await Audited()
        try list.folder.write("{}".utf8, "audit/private/flagged.json")
        #expect(try await list.refusal().contains("flagged.json: is not the file that was there when"))
        // Signed again by somebody else, who is no privacy officer.
        let other = try await Audited()
        try other.sign(SigningKey())
        #expect(try await other.refusal().contains("is no privacy officer"))
    }

    @Test func `a verdict that does not follow from its figures is refused though it is signed`() async throws {
        let audited = try await Audited(), place = audited.folder.file("audit/public/audit.json")
        let text = try String(contentsOfFile: place, encoding: .utf8).replacingOccurrences(
            of: "\"confirmed\" : 0", with: "\"confirmed\" : 2")
        try audited.folder.write(text.utf8, "audit/public/audit.json")
        try DetachedSignature.write(Data(text.utf8), at: place, domain: "fovea-audit-1", key: audited.officer)
        #expect(try await audited.refusal().contains("its figures say fail"))
    }
}

@Suite struct AuditGateTests {
    @Test func `a model leaves only with an audit of itself, of enough of its samples, with membership`() async throws {
        let model = Digest(of: [1])
        func refusal(_ spoil: (inout AuditFigures) -> Void) async throws -> String {
            let membership = try MadeFigures.membership()
            let audited = try await Audited { figures in
                figures.model = model
                figures.samples.models = [model]
                figures.samples.count = 1000
                figures.membership = membership
                spoil(&figures)
            }
            do {
                try AuditGate(audited.audit, requireOfficer: { _ in }).requireModel(model)
                return "passed"
            } catch let failure as Failure {
                #expect(failure.kind == .notPermitted)
                return failure.description
            }
        }
        #expect(try await refusal { _ in } == "passed")
        #expect(try await refusal { $0.model = Digest(of: [2]) }.contains("expected an audit of"))
        #expect(try await refusal { $0.model = nil }.contains("one without the model"))
        #expect(try await refusal { $0.samples.models = [Digest(of: [2])] }.contains("another model"))
        #expect(try await refusal { $0.samples.count = 999 }.contains("at least 1000"))
        #expect(try await refusal { $0.membership = nil }.contains("who was in its training"))
        #expect(try await refusal { $0.control = nil }.contains("no-power"))
        #expect(try await refusal { $0.training.inLineage = .no }.contains("did not learn from"))
    }
}
