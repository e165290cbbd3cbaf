import Files
import Foundation
import HDF5Files
import SampleStore
import Support
import Testing

/// Samples that show another sample in another cohort.
@Suite struct CounterfactualColumnTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func write(_ name: String, originals: [Int?], alike: Bool = false) async throws -> String {
        let writer = try SampleSetWriter(
            path: folder.file(name), width: SampleFixtures.width, height: SampleFixtures.height,
            run: SampleFixtures.run(), model: SampleFixtures.model, terms: SampleFixtures.terms,
            siteNames: ["aachen", "bonn"], created: Date(timeIntervalSince1970: 1_800_000_000))
        for (row, original) in originals.enumerated() {
            // Each in a batch of its own: the link must not depend on batches.
            let index = UInt64(original ?? row)
            try await writer.append([
                SampleRecord(
                    pixels: SampleFixtures.pixels(alike ? original ?? row : row), seed: 1, index: index,
                    siteWeights: [0.5, 0.5], original: original)
            ])
        }
        try await writer.finish()
        return folder.file(name)
    }

    /// The places of what is wrong in a set. The runs of these fixtures ended before they began.
    private func findings(_ path: String) async -> [String] {
        await SampleSetVerification.findingsInContent(path, samplers: ["heun"]).map(\.place).filter {
            !$0.hasPrefix("/runs/finished")
        }
    }

    @Test func `the row of the original comes back`() async throws {
        let path = try await write("s.h5", originals: [nil, 0, 0, nil, 3])
        let file = try await SampleSetFile.open(path)
        #expect((0..<5).map { file.original(row: $0) } == [nil, 0, 0, nil, 3])
        #expect(file.hasCounterfactuals)
        #expect(await findings(path) == [])
        let plain = try await SampleSetFile.open(try await write("plain.h5", originals: [nil, nil]))
        #expect(!plain.hasCounterfactuals && plain.original(row: 1) == nil)
        let other = try await write("other.h5", originals: [nil, nil, 0, nil, 3])
        #expect(try await SampleSetFile.contentDigest(path) != SampleSetFile.contentDigest(other))
    }

    /// A counterfactual in which nothing changed is its original again. Another row of the same sample is a finding.
    @Test func `only a counterfactual may be like another row`() async throws {
        #expect(await findings(try await write("one.h5", originals: [nil, 0, nil], alike: true)) == [])
        #expect(await findings(try await write("two.h5", originals: [nil, 0, 0], alike: true)) == ["row 2"])
    }

    @HDF5Actor
    @Test(arguments: [(4, 4), (2, 3), (1, 2), (0, 0), (3, -2), (3, 9), (2, 1), (4, 1)])
    func `a link to no earlier original is refused`(row: Int, original: Int64) async throws {
        let path = try await write("s.h5", originals: [nil, 0, nil, nil, 3])
        let file = try HDF5File.change(path, shownAs: path)
        let column = try file.root.group("provenance").dataset("original")
        try column.write([original], rows: row..<row + 1)
        try file.close()
        await expectLaterFailure(.badData, "/provenance/original row") {
            _ = try await SampleSetFile.open(path, verifying: false)
        }
    }

    @Test func `how counterfactuals are drawn is checked`() throws {
        func problem(_ change: String) throws -> String? {
            let json = """
                {"kind":"karras","sigma_min":0.002,"sigma_max":20,"rho":7,"steps":18,"counterfactual":\(change)}
                """
            return try JSONDecoder().decode(RecordedSchedule.self, from: Data(json.utf8)).problem
        }
        #expect(try problem(#"{"below":0.1,"scale":5,"kept":"vessels"}"#) == nil)
        #expect(try problem(#"{"below":0.1,"scale":1}"#) == nil)
        #expect(try problem(#"{"below":0,"scale":5}"#)?.contains("a noise level above 0") == true)
        #expect(try problem(#"{"below":1,"scale":0.5}"#)?.contains("a scale from 1 to 10, found 0.5") == true)
        #expect(try problem(#"{"below":1,"scale":5,"kept":"disc"}"#)?.contains("found \"disc\"") == true)
    }
}
