import Cohorts
import Datasets
import Files
import Foundation
import Support
import Testing

@Suite struct PatientTableTests {
    private let table = PatientTable(
        [
            ("a", .train, ["sex": "female", "age_band": "80+", "laterality": "left"]),
            ("a", .train, ["sex": "female", "age_band": "80+", "laterality": "right"]),
            ("b", .train, ["sex": "female", "age_band": "10-19", "camera": "x"]),
            ("c", .train, ["sex": "male", "camera": "x"]), ("d", .holdout, ["sex": "male", "age_band": "30-39"]),
        ].map { patient, split, values in
            PatientTable.Photograph(patient: patient, split: split, cohort: Cohort(values))
        } as [PatientTable.Photograph])

    @Test func `patients are counted once, and by split`() {
        #expect(table.patients(.train) == 3 && table.patients(.holdout) == 1 && table.patients(.validation) == 0)
        let sex = table.cells(["sex"])
        #expect(sex.values == [["female", "male"]])
        #expect(sex[["female"]] == 2 && sex[["male"]] == 1 && sex[["other"]] == 0)
        #expect(table.cells(["sex"], in: .holdout)[["male"]] == 1)
        // A patient with both eyes counts for each.
        let eye = table.cells(["laterality"])
        #expect(eye.values == [["left", "right", "unknown"]])
        #expect(eye[["left"]] == 1 && eye[["right"]] == 1)
        #expect(eye[["unknown"]] == 2)
    }

    @Test func `values stand in the schema's order, with those of all splits`() {
        let cells = table.cells(["sex", "age_band"])
        #expect(cells.values == [["female", "male"], ["10-19", "30-39", "80+", "unknown"]])
        #expect(cells[["female", "80+"]] == 1 && cells[["male", "80+"]] == 0 && cells[["male", "unknown"]] == 1)
        #expect(table.attributes == ["age_band", "sex", "laterality", "camera"])
        #expect(
            table.pairs(most: 12).map { "\($0.0) \($0.1)" } == [
                "age_band sex", "age_band laterality", "sex laterality",
            ])
        #expect(table.pairs(most: 2).map { "\($0.0) \($0.1)" } == ["sex laterality"])
    }

    @Test func `terms are stated afterwards, and nothing else changes`() async throws {
        let folder = try TemporaryFolder(), path = folder.file("a.h5")
        try await DatasetFixtures.write(path)
        let before = try await DatasetFile.open(path)
        var terms = try await DatasetTerms(of: path)
        #expect(terms.licence == "CC-BY-4.0" && terms.source == "clinic")
        terms.licence = "CC0-1.0"
        try await terms.write(to: path, on: "2026-01-31")
        let after = try await DatasetFile.open(path)
        #expect(after.info.licence == "CC0-1.0" && after.info.source == before.info.source)
        #expect(
            after.info.notes?.hasPrefix("n; terms stated on 2026-01-31, after the import; before: licence CC-BY-4.0")
                == true)
        #expect(after.info.created == before.info.created && after.patients == before.patients)
        #expect(after.digests == before.digests && after.splits == before.splits)
        #expect(after.trainingSetDigest == before.trainingSetDigest)
        #expect(await DatasetFile.findings(path).isEmpty)
        #expect(try folder.names == ["a.h5"])
    }
}
