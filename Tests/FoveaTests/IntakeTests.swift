import Files
import Foundation
import Fovea
import Support
import Testing

/// What a site learns about its data set, and states about it.
@Suite struct IntakeTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func phantoms() async throws -> String {
        var job = PhantomJob(patients: 60, seed: 3, to: folder.file("phantoms.h5"))
        job.size = 32
        return try await job.outcome().output
    }

    /// The numbers in a text, each with whether it is marked.
    private func numbers(_ line: Substring) -> [(count: Int, marked: Bool)] {
        line.matches(of: /(?:^| )([0-9]+)(\*?)(?= |$)/).map { (Int($0.1)!, $0.2 == "*") }
    }

    @Test func `patients of the train split are counted by two attributes, and small cells are marked`() async throws {
        var job = InspectJob(try await phantoms())
        let lines = try await job.outcome().lines
        #expect(lines.contains { $0.hasPrefix("splits: train 48 of 48 patients, validation 6 of 6 patients") })
        #expect(lines.contains { $0.hasPrefix("patients in train/validation/holdout (* fewer than 5") })
        // Phantoms are no patients.
        #expect(!lines.contains { $0.contains("privacy audit") })
        job.by = ["age_band", "dr_icdr"]
        let table = try await job.outcome().lines
        let start = try #require(table.firstIndex { $0.hasPrefix("patients in train, age_band by dr_icdr") })
        let rows = table[(start + 2)...]
        #expect(rows.count >= 5 && table[start + 1].split(separator: " ") == ["age_band", "0", "1", "2", "3", "4"])
        let cells = rows.flatMap { row in numbers(row.dropFirst(2).drop { $0 != " " }) }
        #expect(cells.count == rows.count * 5)
        #expect(cells.reduce(0) { $0 + $1.count } == 48)
        #expect(cells.allSatisfy { $0.marked == (1..<5).contains($0.count) } && cells.contains { $0.marked })
        let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(try await job.outcome()))
        let object = try #require(json as? [String: Any])
        let listed = try #require(object["table"] as? [[String: Any]])
        #expect(listed.count == cells.count)
        #expect(listed.reduce(0) { $0 + ($1["patients"] as? Int ?? 0) } == 48)
        let byValue = try #require(object["patients_by_value"] as? [String: [String: [String: Int]]])
        #expect(byValue["sex"]?.values.reduce(0) { $0 + ($1["train"] ?? 0) } == 48)
        #expect(object["photographs"] as? Int == 60)
    }

    @Test func `attributes that cannot be counted are refused`() async throws {
        var job = InspectJob(try await phantoms())
        for by in [["grade"], ["sex", "sex"], ["sex", "dme", "dr_icdr", "field"]] {
            job.by = by
            await expectLaterFailure(.usage, "expected ") { try await job.outcome() }
        }
    }

    @Test func `terms that were forgotten are stated later, and stated ones stay`() async throws {
        let path = try await phantoms()
        var job = TermsJob(path)
        await expectLaterFailure(.usage, "expected a licence, a source or both") { try await job.outcome() }
        for text in ["", "a\nb"] {
            job.licence = text
            await expectLaterFailure(.usage, "expected a text on one line") { try await job.outcome() }
        }
        job.licence = "CC BY 4.0"
        let refused = await expectLaterFailure(.cannotCreateOutput, "states the licence \"CC0-1.0\" already") {
            try await job.outcome()
        }
        #expect(refused?.remedy == .replace)
        job.replaces = true
        #expect(try await job.outcome().licence == "CC BY 4.0")
        #expect(
            try await InspectJob(path).outcome().lines.contains { $0.hasPrefix("licence: CC BY 4.0; source: fovea") })
        #expect(try await VerifyJob(path).outcome().ok)
    }

    @Test func `a draft of a map is made of a table`() async throws {
        let table = try folder.write(Array("file,patient,eye\na.jpg,1,OD\n".utf8), "labels.csv")
        let outcome = try await MapGuessJob(table).outcome()
        #expect(outcome.attributes == ["laterality"] && outcome.map.contains("\"OD\": right"))
        let map = try folder.write(Array(outcome.map.utf8), "map.yaml")
        let failure = await expectLaterFailure(.badData, "expected a table (CSV), found a map") {
            try await MapGuessJob(map).outcome()
        }
        #expect(failure?.option == nil)
    }

    @Test func `the maps that come with the program are listed and shown, and a file of the name goes first`()
        async throws
    {
        let list = try await MapListJob().outcome()
        #expect(list.maps.contains { $0.name == "idrid" && $0.table } && list.maps.contains { !$0.table })
        #expect(list.lines.contains("fives              FIVES, 2022 (no table)"))
        let shown = try await MapShowJob("fives").outcome()
        #expect(shown.map == shown.lines.joined(separator: "\n") + "\n" && shown.map.contains("release: FIVES, 2022"))
        await expectLaterFailure(.noSuchInput, "did you mean fives?") { try await MapShowJob("fivs").outcome() }
        // A path is a file, and is looked at as one.
        var job = ImportJob(folder: folder.path, site: "a", to: folder.file("a.h5"))
        job.map = folder.file("idrid")
        await expectLaterFailure(.noSuchInput, "does not exist") { try await job.outcome() }
        _ = try folder.write(Array("file: {column: f}\n".utf8), "idrid")
        await expectLaterFailure(.usage, "reads a table of labels, and no table is given") { try await job.outcome() }
    }
}
