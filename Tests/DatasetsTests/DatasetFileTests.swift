import Cohorts
import Datasets
import Files
import Foundation
import HDF5Files
import Support
import Testing

@HDF5Actor
@Suite struct DatasetFileTests {
    let folder: TemporaryFolder
    var path: String { folder.file("site.h5") }
    init() throws { folder = try TemporaryFolder() }

    @Test func everythingComesBack() async throws {
        try await DatasetFixtures.write(path, batches: [0..<1, 1..<4])
        let file = try await DatasetFile.open(path)
        let records = DatasetFixtures.records()
        #expect(file.count == 4)
        #expect(file.size == 8)
        #expect(file.info == DatasetFixtures.info())
        #expect(file.splits == [.train, .train, .holdout, .validation])
        #expect(file.patients == ["p1", "p1", "a longer key", "p3"])
        #expect(file.fieldsOfView == records.map(\.fieldOfView))
        #expect(file.digests == records.map { Digest(of: $0.pixels) })
        #expect(file.visits == nil)
        #expect(file.eyes == nil)
        #expect(file.maskNames == [])
        #expect(try await file.images(rows: [2, 0, 2]) == records[2].pixels + records[0].pixels + records[2].pixels)
        #expect(try await file.images(rows: []) == [])
        try await file.verifyDigests()
        #expect(Set(file.cohorts.keys) == Set(CohortSchema.attributes.map(\.name)))
        #expect(file.cohorts["dr_icdr"]?.codes == [3, 5, -1, -1])
        #expect(file.cohorts["camera"]?.names == ["Canon CR-2", "Topcon"])
        #expect(file.cohorts["camera"]?.codes == [1, 0, -1, -1])
        #expect(file.cohorts["ethnicity"]?.names == [])
        #expect(file.cohorts["field"]?.codes == [-1, -1, -1, -1])
        #expect(file.cohort(row: 0) == records[0].cohort)
        #expect(file.rows(of: .train) == [0, 1])
        let sorted = records[..<2].map { Digest(of: $0.pixels).bytes }.sorted { $0.lexicographicallyPrecedes($1) }
        #expect(file.trainingSetDigest == Digest(of: sorted[0] + sorted[1]))
    }

    @Test func theFileIsLaidOutAsTheContractSays() async throws {
        try await DatasetFixtures.write(path)
        let root = try HDF5File.open(path).root
        #expect(try root.names == ["cohort", "digest", "field_of_view", "images", "patient", "split"])
        let images = try root.dataset("images")
        #expect(images.type == .integer(bytes: 1, signed: false))
        #expect(images.shape == [4, 8, 8, 3])
        #expect(images.storage == HDF5Storage(chunkRows: 1, deflate: 1, isExtendible: true))
        #expect(try images.attributeStrings("DIMENSION_LABELS") == ["image", "height", "width", "channel"])
        #expect(try root.dataset("field_of_view").type == .float(bytes: 4))
        #expect(try root.dataset("field_of_view").shape == [4, 5])
        #expect(try root.dataset("digest").type == .integer(bytes: 1, signed: false))
        #expect(try root.dataset("digest").shape == [4, 32])
        #expect(try root.dataset("patient").type == .fixedString(bytes: 12))
        #expect(
            try root.dataset("split").type
                == .enumeration(
                    bytes: 1, signed: true, members: ["train": 0, "validation": 1, "holdout": 2]))
        let cohort = try root.group("cohort")
        #expect(try cohort.names == CohortSchema.attributes.map(\.name).sorted())
        for attribute in CohortSchema.attributes where !attribute.isOpen {
            var members = Dictionary(uniqueKeysWithValues: attribute.names.enumerated().map { ($1, $0) })
            members["unknown"] = -1
            #expect(try cohort.dataset(attribute.name).type == .enumeration(bytes: 2, signed: true, members: members))
            #expect(try cohort.dataset(attribute.name).shape == [4])
        }
        #expect(
            try cohort.dataset("camera").type
                == .enumeration(
                    bytes: 2, signed: true, members: ["unknown": -1, "Canon CR-2": 0, "Topcon": 1]))
        #expect(
            try root.attributeNames == [
                "created", "kind", "licence", "notes", "one_patient_per_photo", "site", "source", "synthetic",
                "tool_version",
                "version",
            ])
        #expect(try root.attributeString("kind") == "fovea.dataset")
        #expect(try root.attributeInt("version") == 1)
        #expect(try root.attributeString("created") == "2027-01-15T08:00:00Z")
        #expect(try root.attributeString("one_patient_per_photo") == "YES")
        #expect(try root.attributeString("synthetic") == "NO")
    }

    @Test func phantomsKeepMasksVisitsAndEyes() async throws {
        let writer = try await DatasetWriter(path: path, size: 8, info: DatasetFixtures.info())
        let records = DatasetFixtures.records()
        let mask = { (row: Int) in DatasetFixtures.pixels(row + 9, count: 64) }
        try writer.append(
            Array(records[..<2]), masks: ["vessels": [mask(0), mask(1)], "macula": [mask(2), mask(3)]], visits: [0, 1],
            eyes: ["e1", "e1"])
        try writer.append(
            Array(records[2...2]), masks: ["vessels": [mask(4)], "macula": [mask(5)]], visits: [0], eyes: ["eye 2"])
        try writer.finish()
        let file = try await DatasetFile.open(path)
        #expect(file.maskNames == ["macula", "vessels"])
        #expect(file.visits == [0, 1, 0])
        #expect(file.eyes == ["e1", "e1", "eye 2"])
        #expect(try await file.masks("vessels", rows: [2, 0]) == mask(4) + mask(0))
        #expect(try await file.masks("macula", rows: [1]) == mask(3))
        await #expect(throws: Failure(.badData, path, field: "masks", expected: "lesions", found: "macula, vessels")) {
            try await file.masks("lesions", rows: [0])
        }
    }

    @Test func theSamePhotographsAreTheSameBytesHoweverBatched() async throws {
        try await DatasetFixtures.write(path)
        try await DatasetFixtures.write(folder.file("again.h5"), batches: [0..<3, 3..<3, 3..<4])
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("again.h5"))) == bytes)
    }

    @Test func theDescriptionCounts() async throws {
        try await DatasetFixtures.write(path)
        let description = try await DatasetFile.describe(path)
        #expect(description.photographs == 4)
        #expect(description.patients == 3)
        #expect(description.splits == ["train": 2, "validation": 1, "holdout": 1])
        #expect(description.cohorts["sex"] == ["female": 1, "other": 1, "unknown": 2])
        #expect(description.onePatientPerPhoto)
        let again = try JSONDecoder().decode(DatasetDescription.self, from: JSONEncoder().encode(description))
        #expect(again == description)
        #expect(try HDF5File.kind(of: path) == "fovea.dataset")
    }
}
