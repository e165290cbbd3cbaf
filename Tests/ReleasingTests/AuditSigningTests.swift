import CheckpointStore
import Files
import Foundation
import Releasing
import SampleStore
import Support
import TestFigures
import Testing
import Verdicts

@Suite struct AuditSigningTests {
    private func change(_ audited: Audited, _ file: String, _ old: String, _ new: String) throws {
        let path = audited.folder.file("audit/\(file)"), text = try String(contentsOfFile: path, encoding: .utf8)
        let changed = text.replacingOccurrences(of: old, with: new)
        #expect(changed != text, "\(file) holds no \(old)")
        try audited.folder.write(changed.utf8, "audit/\(file)")
    }

    @Test func `a signature covers the page, and the page names set, day and key`() async throws {
        let audited = try await Audited(isSigned: false)
        expectFailure(.notPermitted, "is not signed") { try AuditFolder(audited.audit).signedAudit() }
        try audited.sign()
        let signed = try AuditFolder(audited.audit).signedAudit()
        #expect(signed.coversPage && signed.officer == audited.officer.publicKey)
        #expect(signed.audit.figures.training.digest == audited.officer.protected(Digest(of: [8]).description))
        let page = try String(contentsOfFile: audited.folder.file("audit/public/audit.html"), encoding: .utf8)
        #expect(page.contains("\(audited.officer.publicKey.fingerprint), on 2026-02-01"))
        #expect(page.contains(audited.digest.grouped(16)))
        for (old, new) in [("Pass.", "Passed."), ("0 of 1000", "0 of 9999")] {
            let edited = try await Audited()
            try change(edited, "public/audit.html", old, new)
            expectFailure(.notPermitted, "it was changed") { try AuditFolder(edited.audit).signedAudit() }
            #expect(try await edited.refusal().contains("audit.html: is not the file that"))
        }
    }

    @Test func `files that are added, removed or exchanged are found`() async throws {
        let more = try await Audited()
        try more.folder.write("words".utf8, "audit/public/notes.txt")
        #expect(try await more.refusal().contains("notes.txt: is not among the files"))
        let fewer = try await Audited()
        try FileManager.default.removeItem(atPath: fewer.folder.file("audit/public/audit.html"))
        #expect(try await fewer.refusal().contains("audit.html: is missing"))
        // Without its manifest the audit would look like one of fovea 0.1, whose page nobody signed.
        let stripped = try await Audited()
        for name in ["manifest.json", "manifest.json.sig"] {
            try FileManager.default.removeItem(atPath: stripped.folder.file("audit/public/\(name)"))
        }
        #expect(try await stripped.refusal().contains("manifest.json: is missing"))
        // The page of another audit by the same officer, with a manifest that somebody else signed for it.
        let forged = try await Audited(), stranger = SigningKey()
        try change(forged, "public/audit.html", "Pass.", "Passed.")
        let place = forged.folder.file("audit/public/manifest.json")
        let manifest = try Data(contentsOf: URL(fileURLWithPath: place))
        try DetachedSignature.write(manifest, at: place, domain: "fovea-audit-manifest-1", key: stranger)
        #expect(try await forged.refusal().contains("manifest.json: is not what"))
    }

    @Test func `only what was read is signed`() async throws {
        let audited = try await Audited(isSigned: false), folder = AuditFolder(audited.audit)
        let read = try folder.review()
        #expect(read.signer == nil)
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.publicFile("audit.json")))
        // Another audit takes its place while the officer reads.
        var other = read.audit
        other.figures.notTested = ["the moon"]
        try audited.folder.write(try other.encoded(), "audit/public/audit.json")
        try audited.folder.write(AuditPage(other).html.source.utf8, "audit/public/audit.html")
        expectFailure(.notPermitted, "has changed since it was read") {
            try folder.sign(audited.officer, reviewed: read.digest, date: "2026-02-01")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.publicFile("manifest.json")))
        try audited.folder.write(before, "audit/public/audit.json")
        // A page that does not follow from the figures is not offered for signing.
        try audited.folder.write(AuditPage(read.audit).html.source.utf8, "audit/public/audit.html")
        try change(audited, "public/audit.html", "Pass.", "Passed.")
        expectFailure(.notPermitted, "is not the page that follows from audit.json") { try folder.review() }
        try audited.folder.write(AuditPage(read.audit).html.source.utf8, "audit/public/audit.html")
        try audited.folder.write("{}".utf8, "audit/private/flagged.json")
        expectFailure(.notPermitted, "is not the list") { try folder.review() }
    }

    @Test func `the evidence that was read is bound, and a page beside the folders is not taken for the audit's`()
        async throws
    {
        let audited = try await Audited(isSigned: false), folder = AuditFolder(audited.audit)
        try audited.folder.write("the pairs".utf8, "audit/private/evidence.html")
        let read = try folder.review()
        try audited.folder.write("other pairs".utf8, "audit/private/evidence.html")
        expectFailure(.notPermitted, "has changed since it was read") {
            try folder.sign(audited.officer, reviewed: read.digest, date: "2026-02-01")
        }
        try audited.folder.write("the pairs".utf8, "audit/private/evidence.html")
        try audited.sign()
        #expect(folder.strangers.isEmpty)
        try audited.folder.write("other pairs".utf8, "audit/private/evidence.html")
        #expect(try await audited.refusal().contains("evidence.html: is not the file that was there when"))
        // Outside the site there is no private folder.
        try FileManager.default.removeItem(atPath: audited.folder.file("audit/private"))
        #expect(try folder.signedAudit().coversPage)
        try audited.folder.write("a page".utf8, "audit/audit.html")
        #expect(folder.strangers == ["audit.html"])
        expectFailure(.notPermitted, "could be taken for its page") { try folder.review() }
    }

    @Test func `an audit whose signature was lost is signed again`() async throws {
        let audited = try await Audited()
        try FileManager.default.removeItem(atPath: audited.folder.file("audit/public/audit.json.sig"))
        #expect(try AuditFolder(audited.audit).review().signer == "a key whose signature is broken")
        try audited.sign()
        #expect(try AuditFolder(audited.audit).signedAudit().coversPage)
    }

    @Test func `a signing that was interrupted is mended by the next one`() async throws {
        let audited = try await Audited(isSigned: false)
        let path = audited.folder.file("audit/public")
        try FileManager.default.moveItem(atPath: path, toPath: path + ".replaced")
        try FileManager.default.createDirectory(atPath: path + ".unfinished", withIntermediateDirectories: true)
        try audited.sign()
        #expect(try AuditFolder(audited.audit).signedAudit().coversPage)
        let left = try FileManager.default.contentsOfDirectory(atPath: audited.audit).sorted()
        #expect(left == ["private", "public"])
    }

    @Test func `an audit is found by its folder, its public folder and its files`() async throws {
        let audited = try await Audited()
        for name in ["audit", "audit/", "audit/public", "audit/public/audit.json", "audit/public/audit.html"] {
            let folder = try #require(AuditFolder(finding: audited.folder.file(name)), "\(name)")
            #expect(try folder.signedAudit().officer == audited.officer.publicKey, "\(name)")
            #expect(folder.privateFile("flagged.json") != nil, "\(name)")
        }
        #expect(AuditFolder(finding: audited.samples) == nil)
        #expect(AuditFolder(finding: audited.folder.file("audit/private/flagged.json")) == nil)
        // Outside the site there is the public folder alone, under any name.
        let copy = audited.folder.file("theirs")
        try FileManager.default.copyItem(atPath: audited.folder.file("audit/public"), toPath: copy)
        #expect(try #require(AuditFolder(finding: copy)).signedAudit().coversPage)
    }
}

@Suite struct WeakerLimitsTests {
    @Test func `weaker limits stand in the released set and first in its card, stricter ones do not`() async throws {
        let weaker = try await Audited { $0.policy.leastPower = 0.5 }
        _ = try await weaker.release()
        let path = weaker.folder.file("r.h5")
        #expect(try await SampleSetFile.describe(path).weakerLimits == ["leastPower is 0.5, by default 0.8"])
        let card = try String(
            contentsOfFile: try await ReleaseCards.write(for: path, force: false), encoding: .utf8)
        #expect(
            card.contains(
                "**May be released, by weaker limits than the usual ones (leastPower is 0.5, by default 0.8): the set"))
        let page = try String(contentsOfFile: weaker.folder.file("audit/public/audit.html"), encoding: .utf8)
        #expect(page.contains("Pass, by weaker limits than the usual ones (leastPower is 0.5, by default 0.8). No"))
        let stricter = try await Audited { $0.policy.leastPower = 0.85 }
        _ = try await stricter.release()
        #expect(try await SampleSetFile.describe(stricter.folder.file("r.h5")).weakerLimits == nil)
        let gate = try AuditGate(weaker.audit, requireOfficer: { _ in })
        #expect(gate.audit.figures.policy.weakerLimits.count == 1)
    }
}

@Suite struct OldAuditTests {
    private func fixture(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)").path
    }

    @Test func `an audit of 0.1 is verified, but its page is not covered and it lets nothing out`() throws {
        let signed = try AuditFolder(fixture("audit-0.1")).signedAudit()
        #expect(!signed.coversPage && signed.audit.verdict.outcome == .pass)
        #expect(signed.audit.figures.policy.weakerLimits.contains("leastPower is 0, by default 0.8"))
        expectFailure(.notPermitted, "whose signature does not cover the page") {
            try AuditGate(fixture("audit-0.1"), requireOfficer: { _ in })
        }
        expectFailure(.notPermitted, "audit again") { try AuditFolder(fixture("audit-0.1")).review() }
    }

    @Test func `a set that 0.1 released keeps its chain, and names its weaker limits`() async throws {
        let path = fixture("released-0.1.h5"), checked = try await ReleaseChain.check(path)
        #expect(checked.findings.isEmpty && checked.signers != nil)
        let limits = try #require(try await SampleSetFile.describe(path).weakerLimits)
        #expect(limits.contains("largestCopyRate is 0.4, by default 0.015"))
    }
}
