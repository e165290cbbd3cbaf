import CheckpointStore
import Files
import Foundation
import SampleStore
import Statistics
import TestFigures
import Testing
import Verdicts

@Suite struct AuditPageTests {
    /// Pages are compared whole with `Fixtures/`; with FOVEA_WRITE_FIXTURES=1 they are written there instead, to be
    /// read in a browser and in the difference before they are committed.
    private func expectFixture(_ name: String, _ page: String) throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Fixtures/\(name)")
        if ProcessInfo.processInfo.environment["FOVEA_WRITE_FIXTURES"] == "1" {
            try Data(page.utf8).write(to: path)
        }
        let expected = try String(contentsOf: path, encoding: .utf8)
        let places = zip(page.split(separator: "\n"), expected.split(separator: "\n")).first { $0 != $1 }
        #expect(page == expected, "\(name): \(places.map { "found \($0), expected \($1)" } ?? "of another length")")
    }

    @Test func `pages are as they were read last`() throws {
        try expectFixture("pass.html", try page(signed: true).whole)
        try expectFixture("fail.html", try page { $0.flagged.confirmed = 2 }.whole)
        let powerless = try page {
            ($0.membership, $0.control) = (nil, nil)
            $0.flagged.samplesUpperBound = 0.02
            $0.copies[1].power["flip"] = Rate(hits: 0, count: 30)
        }
        try expectFixture("no-power.html", powerless.whole)
        let everything = try page {
            $0.membership = try? MadeFigures.membership(loss: 0.5, singleQuery: 0.2, ratio: 0.7)
            $0.notTested = ["whether two samples show one eye"]
            $0.remarks = ["<the holdout is small>"]
            $0.flagged.samples = Rate(hits: 3, count: 1000)
        }
        try expectFixture("everything.html", everything.whole)
        try expectFixture("excerpt.html", everything.excerpt)
    }

    /// The public key of nobody.
    private static let key = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik="

    private func page(
        _ policy: AuditPolicy = AuditPolicy(), signed: Bool = false, _ change: (inout AuditFigures) -> Void = { _ in }
    ) throws -> (whole: String, excerpt: String) {
        var figures = try MadeFigures.passing(policy: policy)
        change(&figures)
        var audit = PublicAudit(figures, date: "2026-01-31")
        (audit.officer, audit.signed) = signed ? (AuditPageTests.key, "2026-02-01") : (nil, nil)
        let page = AuditPage(audit)
        return (page.html.source, page.excerpt.source)
    }

    @Test func `a pass says that nobody was found and that copies would have been`() throws {
        let usual = try page()
        #expect(
            usual.whole.contains("Pass. No patient was found in 1000 samples, and the tests would have found copies."))
        #expect(!usual.excerpt.contains("not the usual limit"))
    }

    @Test func `a pass by other limits says so first, and promises nothing of copies`() throws {
        var policy = AuditPolicy()
        policy.leastPower = 0
        let lenient = try page(policy)
        #expect(
            lenient.whole.contains(
                "Pass, by weaker limits than the usual ones (leastPower is 0, by default 0.8). No patient was found in "
                    + "1000 samples."))
        #expect(lenient.excerpt.contains("not the usual limit: leastPower is 0, by default 0.8"))
    }

    @Test func `a pass with flagged samples does not say that nobody was found`() throws {
        let some = try page { $0.flagged.samples = Rate(hits: 3, count: 1000) }
        #expect(some.whole.contains("Pass. 3 of 1000 samples are flagged"))
        #expect(!some.whole.contains("No patient was found"))
    }

    @Test func `canaries that are remembered give a bound, and forgotten ones none`() throws {
        let record = CanaryRecord(
            digest: String(repeating: "cd", count: 32), count: 100, included: 50, repetitions: 1, seed: 0)
        let isIncluded = (0..<100).map { $0 % 2 == 0 }
        let known = try #require(
            CanaryResult(scores: isIncluded.map { $0 ? 1 : 0 }, isIncluded: isIncluded, record: record))
        let forgotten = try #require(
            CanaryResult(scores: isIncluded.map { _ in 0 }, isIncluded: isIncluded, record: record))
        let remembered = try page { $0.canaries = AuditFigures.Canaries(model: Digest(of: [1]), result: known) }
        let nothing = try page { $0.canaries = AuditFigures.Canaries(model: Digest(of: [1]), result: forgotten) }
        #expect(remembered.whole.contains("its epsilon is at least 3."))
        #expect(nothing.whole.contains("too few canaries to say that epsilon is above 0"))
        #expect(try !page().whole.contains("<h2>Canaries</h2>"))
    }
}
