import CheckpointStore
import Federation
import Files
import Support
import Testing

/// What a site says of its size.
@Suite struct ClaimedSizeTests {
    private func data(_ patients: Int, _ counts: [String: [String: Int]]? = nil, inherited: Bool? = nil) -> TrainingData
    {
        var data = TrainingData(
            digest: "", site: "aachen", licence: "", source: "", cohortCounts: counts ?? ["sex": ["female": patients]],
            patients: patients)
        data.inherited = inherited
        return data
    }

    private func size(_ data: [TrainingData], images: Int = 1, most: Int? = nil) throws -> ClaimedSize {
        try ClaimedSize(data, imagesSeen: images, most: most, path: "p")
    }

    @Test func `patients are those of a site's own sets`() throws {
        let size = try size([data(30), data(10), data(500, inherited: true)], images: 640)
        #expect(size.patients == 40 && size.images == 640)
        #expect(try self.size([]).patients == 0)
    }

    @Test func `numbers up to the largest are taken, and none beyond`() throws {
        let most = 10_000_000, images = 1_000_000_000_000
        #expect(try size([data(most)], images: images).patients == most)
        for (sets, seen, sentence) in [
            ([data(most + 1)], 1, "patients: expected 0 to \(most), found \(most + 1)"),
            ([data(-1)], 1, "patients: expected 0 to \(most), found -1"),
            ([data(.max)], 1, "patients: expected 0 to \(most), found \(Int.max)"),
            ([data(most), data(5)], 1, "patients: expected at most \(most), found \(most + 5)"),
            ([data(5)], images + 1, "imagesSeen: expected 0 to \(images), found \(images + 1)"),
            ([data(5)], -1, "imagesSeen: expected 0 to \(images), found -1"),
            (
                [data(5, ["sex": ["female": 5, "male": .max]])], 1,
                "cohortCounts.sex.male: expected 0 to \(most), found \(Int.max)"
            ),
            (
                [data(5, ["sex": ["female": -5]])], 1, "cohortCounts.sex.female: expected 0 to \(most), found -5"
            ),
        ] as [([TrainingData], Int, String)] {
            let failure = expectFailure(.badData, sentence) { try size(sets, images: seen) }
            #expect(failure == Failure(.badData, "p", sentence))
        }
    }

    @Test func `patients are borne out by every count of them`() throws {
        // 20 and 15, each rounded to 5, and those whose value is unknown: 35 + 3 * 3.
        let counts = ["sex": ["female": 20, "male": 15]]
        #expect(try size([data(44, counts)]).patients == 44)
        expectFailure(.badData, "patients: expected at most 44, after the counts by sex, found 45") {
            try size([data(45, counts)])
        }
        expectFailure(.badData, "patients: expected at most 16, after the counts by age, found 44") {
            try size([data(44, counts.merging(["age": ["old": 10]]) { $1 })])
        }
        expectFailure(.badData, "cohortCounts: expected counts that add up to its 5 patients, found none") {
            try size([data(5, [:])])
        }
        // An attribute without a count bears out nothing.
        expectFailure(.badData, "cohortCounts: expected counts that add up to its 5 patients, found none") {
            try size([data(5, ["sex": [:]])])
        }
        #expect(try size([data(0, [:])]).patients == 0)
    }

    @Test func `the list of trust caps what a site may claim`() throws {
        #expect(try size([data(25), data(15)], most: 40).patients == 40)
        let failure = expectFailure(.notPermitted, "patients: expected at most 39") {
            try size([data(25), data(15)], most: 39)
        }
        #expect(
            failure
                == Failure(
                    .notPermitted, "p", field: "patients", expected: "at most 39, after the list of trust", found: "40")
        )
    }
}
