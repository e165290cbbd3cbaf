import Cohorts
import Datasets
import Files
import Foundation
import HDF5Files
import Support
import Testing

/// What is not a sound dataset is refused with one sentence, when it is written and when it is opened.
@HDF5Actor
@Suite struct DatasetRefusalTests {
    let folder: TemporaryFolder
    var path: String { folder.file("site.h5") }
    init() throws { folder = try TemporaryFolder() }

    private func sentence(opening path: String) async -> String? {
        let failure = await #expect(throws: Failure.self) { try await DatasetFile.open(path) }
        #expect(failure?.kind == .badData)
        #expect(failure?.place == path)
        return failure?.sentence
    }

    @Test func labelsOutsideTheSchemaAreRefused() async throws {
        let writer = try await DatasetWriter(path: path, size: 8, info: DatasetFixtures.info())
        var record = DatasetFixtures.records()[0]
        record.cohort["dr_icdr"] = "5"
        #expect(
            throws: Failure(
                .badData, path, field: "dr_icdr of row 0", expected: "0, 1, 2, 3, 4, ungradable, unknown",
                found: "\"5\"")
        ) { try writer.append([record]) }
        record.cohort = Cohort(["grade": "3"])
        expectFailure(.badData, "cohort of row 0: expected an attribute of the schema (") {
            try writer.append([record])
        }
        record.cohort = Cohort(["camera": ""])
        expectFailure(.badData, "camera of row 0: expected a name, found \"\"") { try writer.append([record]) }
        #expect(throws: Failure(.badData, path, "no photograph is left to write")) { try writer.finish() }
    }

    @Test func aPatientInTwoSplitsIsRefusedAndNoFileIsLeft() async throws {
        do {
            let writer = try await DatasetWriter(path: path, size: 8, info: DatasetFixtures.info())
            var records = DatasetFixtures.records()
            records[1].split = .holdout
            try writer.append(records)
            #expect(throws: Failure(.badData, path, "row 1 puts a patient into holdout who is in train already")) {
                try writer.finish()
            }
            #expect(!FileManager.default.fileExists(atPath: path))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test func outputsThatExistAreKeptUnlessForced() async throws {
        try await DatasetFixtures.write(path)
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        let failure = await #expect(throws: Failure.self) { try await DatasetFixtures.write(path, batches: [0..<2]) }
        #expect(failure?.kind == .cannotCreateOutput)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        try await DatasetFixtures.write(path, batches: [0..<2], force: true)
        #expect(try await DatasetFile.open(path).count == 2)
    }

    @Test func filesOfOtherKindsAreNamed() async throws {
        try Data("not HDF5".utf8).write(to: URL(fileURLWithPath: path))
        #expect(await sentence(opening: path) == "is not an HDF5 file")
        let bare = try HDF5File.create(path)
        try bare.close()
        #expect(await sentence(opening: path) == "attribute kind of /: expected fovea.dataset, found none")
        let samples = try HDF5File.create(path)
        try samples.root.setAttribute("kind", "fovea.samples")
        try samples.close()
        #expect(await sentence(opening: path) == "attribute kind of /: expected fovea.dataset, found fovea.samples")
        let later = try HDF5File.create(path)
        try later.root.setAttribute("kind", "fovea.dataset")
        try later.root.setAttribute("version", 2)
        try later.close()
        #expect(await sentence(opening: path) == "version of fovea.dataset: expected 1, found 2")
    }

    @Test(arguments: ["images", "split", "patient", "field_of_view", "digest", "cohort"])
    func everyFieldIsMissed(_ name: String) async throws {
        try writeByHand { $0 == name ? .absent : .sound }
        #expect(await sentence(opening: path) == "/\(name) is missing")
    }

    @Test(arguments: ["images", "split", "patient", "field_of_view", "digest"])
    func everyWrongShapeIsNamed(_ name: String) async throws {
        try writeByHand { $0 == name ? .wrong : .sound }
        let found = await sentence(opening: path)
        #expect(found?.hasPrefix("/\(name) shape: expected [") == true, "\(found ?? "")")
    }

    @Test func soundByHandOpens() async throws {
        try writeByHand { _ in .sound }
        #expect(try await DatasetFile.open(path).count == 2)
    }

    @Test func codesWithoutANameAreRefused() async throws {
        try writeByHand(sexCodes: [0, 3]) { _ in .sound }
        #expect(await sentence(opening: path) == "/cohort/sex row 1: expected a code that has a name, found 3")
    }

    @Test func truncatedFilesAreRefused() async throws {
        try await DatasetFixtures.write(path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for length in [9, 100, whole.count / 2, whole.count - 1] {
            try whole.prefix(length).write(to: URL(fileURLWithPath: path))
            _ = await sentence(opening: path)
        }
    }

    @Test func changedPixelsAreNamed() async throws {
        try writeByHand { _ in .sound }
        let file = try await DatasetFile.open(path)
        await #expect(
            throws: Failure(
                .checkFailed, path, "/images: the pixels of 2 rows differ from their digests (rows 0, 1)")
        ) { try await file.verifyDigests() }
    }

    enum Field { case sound, wrong, absent }

    /// Two photographs of zeros; digests are zeros, too, and so wrong.
    private func writeByHand(sexCodes: [Int16] = [0, 1], _ state: (String) -> Field) throws {
        let file = try HDF5File.create(path)
        let root = file.root
        for (name, value) in [
            "kind": "fovea.dataset", "site": "s", "source": "s", "licence": "l", "created": "2026-01-01T00:00:00Z",
            "tool_version": "1", "one_patient_per_photo": "NO", "synthetic": "NO",
        ] { try root.setAttribute(name, value) }
        try root.setAttribute("version", 1)
        func rows(_ name: String) -> Int { state(name) == .wrong ? 3 : 2 }
        if state("images") != .absent {
            let width = state("images") == .wrong ? 4 : 3
            try root.write("images", [UInt8](repeating: 0, count: 2 * 16 * width), shape: [2, 4, 4, width])
        }
        if state("split") != .absent {
            try root.write(
                "split", codes: [Int8](repeating: 0, count: rows("split")),
                members: [
                    ("train", 0), ("validation", 1), ("holdout", 2),
                ])
        }
        if state("patient") != .absent {
            try root.write("patient", strings: [String](repeating: "p", count: rows("patient")))
        }
        if state("field_of_view") != .absent {
            let count = rows("field_of_view")
            try root.write("field_of_view", [Float](repeating: 1, count: count * 5), shape: [count, 5])
        }
        if state("digest") != .absent {
            let count = rows("digest")
            try root.write("digest", [UInt8](repeating: 0, count: count * 32), shape: [count, 32])
        }
        if state("cohort") != .absent {
            let group = try root.createGroup("cohort")
            for attribute in CohortSchema.attributes {
                let members =
                    [(name: "unknown", code: Int16(-1))] + attribute.names.enumerated().map { ($1, Int16($0)) }
                try group.write(attribute.name, codes: attribute.name == "sex" ? sexCodes : [-1, -1], members: members)
            }
        }
        try file.close()
    }
}
