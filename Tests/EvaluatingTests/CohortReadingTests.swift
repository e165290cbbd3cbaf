import Auditing
import Counterfactuals
import Datasets
import Evaluating
import Files
import SampleStore
import Support
import TestFigures
import Testing

/// Classifiers that read counterfactuals; of discs with a bright spot where the grade is 4, and none where it is 0.
@Suite struct CohortReadingTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func photographs() async throws -> AuditSource {
        let path = folder.file("site.h5")
        try await SpottedEyes.write(
            (0..<160).map { number in
                SpottedEyes.record(
                    number % 2 == 0 ? "4" : "0", number, seed: 3, split: number < 120 ? .train : .holdout)
            }, path)
        return try await AuditSource(path)
    }

    /// Four originals without a spot, each with a counterfactual of grade 0 and one of grade 4.
    private func reading(_ train: AuditSource, obeys: Bool) async throws -> CohortReading {
        let rows = (0..<12).map { number in
            let grade = number % 3 == 2 ? "4" : "0"
            let eye = SpottedEyes.record(
                grade, number, seed: 4, split: .train, shows: obeys ? nil : "0")
            return (pixels: eye.pixels, grade: Optional(grade), original: number % 3 == 0 ? nil : number - number % 3)
        }
        let file = try await MadeSamples.write(folder.file(obeys ? "good.h5" : "bad.h5"), side: 32, rows)
        return try await CohortReading(of: file, attribute: "dr_icdr", train: train, steps: 150, side: 32) { _ in }
    }

    @Test func `what is asked for is read where it is shown, and not where it is not`() async throws {
        let train = try await photographs(), good = try await reading(train, obeys: true)
        #expect(good.classes == ["0", "4"] && good.photographs == 120 && good.probabilities.count == 12)
        #expect(try #require(good.photographsRead) > 0.9 && #require(good.obeyed) > 0.8)
        #expect(try #require(good.spearman) > 0.7 && #require(good.photographSpearman) > 0.7)
        // A place is on the line of grades, not the number of a class.
        #expect(try #require(good.places?.max()) > 3)
        #expect(good.sentences.count == 2 && good.sentences[0].contains("120 photographs"))
        let bad = try await reading(train, obeys: false)
        #expect(try #require(bad.obeyed) < 0.7)
        #expect(abs(try #require(bad.spearman)) < 0.75)
    }

    @Test func `an attribute of which one value is known cannot be read`() async throws {
        let eye = SpottedEyes.record("0", 1, seed: 4, split: .train), train = try await photographs()
        let file = try await MadeSamples.write(folder.file("s.h5"), side: 32, [(eye.pixels, "0", nil)])
        await expectLaterFailure(.badData, "at least two classes") {
            _ = try await CohortReading(of: file, attribute: "disease", train: train, steps: 10, side: 32) { _ in }
        }
    }
}
