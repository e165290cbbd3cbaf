import Auditing
import CheckpointStore
import Files
import Testing

@Suite struct AuditPageTests {
    private func page(_ policy: AuditPolicy = AuditPolicy(), _ change: (inout AuditFigures) -> Void = { _ in }) throws
        -> (whole: String, excerpt: String)
    {
        var figures = try MadeFigures.passing(policy: policy)
        change(&figures)
        let page = AuditPage(PublicAudit(figures, date: "2026-01-31", officer: nil))
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
                "Pass, by other limits than the usual ones (below). No patient was found in 1000 samples."))
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
        #expect(nothing.whole.contains("too few of them to say that epsilon is above 0"))
        #expect(try !page().whole.contains("<h2>Canaries</h2>"))
    }
}
