import Files
import Foundation
import HDF5Files
import SampleStore
import Support
import Testing

/// Structure maps beside the pictures of a set.
@Suite struct StructureTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private static func map(_ row: Int) -> [UInt8] { (0..<80).map { UInt8(truncatingIfNeeded: $0 &* 3 &+ row &* 29) } }

    private func writer(
        _ name: String, _ options: SampleSetWriter.Options = .init(), structures: [String] = ["vessels"]
    ) throws -> SampleSetWriter {
        try SampleSetWriter(
            path: folder.file(name), width: 10, height: 8, run: SampleFixtures.run(), model: SampleFixtures.model,
            terms: SampleFixtures.terms,
            structures: structures, created: Date(timeIntervalSince1970: 1_800_000_000), options: options)
    }

    private func sample(_ row: Int) -> SampleRecord {
        SampleRecord(pixels: SampleFixtures.pixels(row), seed: 1, index: UInt64(row), maps: [StructureTests.map(row)])
    }

    private func write(_ name: String, _ options: SampleSetWriter.Options = .init(), batches: [Range<Int>] = [0..<5])
        async throws -> SampleSetFile
    {
        let writer = try writer(name, options)
        for batch in batches {
            try await writer.append(batch.map(sample), finished: Date(timeIntervalSince1970: 1_800_000_060))
        }
        try await writer.finish()
        return try await SampleSetFile.open(folder.file(name))
    }

    @Test func mapsComeBack() async throws {
        let file = try await write("s.h5", batches: [0..<2, 2..<5])
        #expect(file.structures == ["vessels"])
        #expect(try await file.map("vessels", rows: [3, 0]) == StructureTests.map(3) + StructureTests.map(0))
        #expect(try await file.images(rows: [3]) == SampleFixtures.pixels(3))
        #expect(
            await !SampleSetVerification.findingsInContent(file.path, samplers: ["heun"]).contains {
                $0.place.contains("structure")
            })
    }

    @HDF5Actor
    @Test func mapsAreLaidOutAsTheContractSays() async throws {
        let file = try await write("s.h5")
        let map = try HDF5File.open(file.path).root.group("structure").dataset("vessels")
        #expect(map.shape == [5, 8, 10] && map.type == .integer(bytes: 1, signed: false))
        #expect(map.storage == HDF5Storage(chunkRows: 1, deflate: 1, fletcher32: true))
        #expect(try map.attributeStrings("DIMENSION_LABELS") == ["sample", "height", "width"])
    }

    /// In shards and in one file the content is the same, and another map is another content.
    @Test func mapsAreInShards() async throws {
        let one = try await write("one.h5"), many = try await write("many.h5", .init(shardRows: 2))
        #expect(many.structures == ["vessels"])
        #expect(try await many.map("vessels", rows: [4, 1]) == StructureTests.map(4) + StructureTests.map(1))
        let digest = try await SampleSetFile.contentDigest(one.path)
        #expect(try await SampleSetFile.contentDigest(many.path) == digest)
        let places = await SampleSetVerification.findingsInContent(many.path, samplers: ["heun"]).map(\.place)
        #expect(!places.contains { $0.contains("structure") || $0.contains("shard") }, "\(places)")
        let other = try writer("other.h5")
        for row in 0..<5 {
            var sample = sample(row)
            if row == 4 { sample.maps[0][7] ^= 1 }
            try await other.append([sample], finished: Date(timeIntervalSince1970: 1_800_000_060))
        }
        try await other.finish()
        #expect(try await SampleSetFile.contentDigest(folder.file("other.h5")) != digest)
    }

    /// What was begun with maps goes on with them, and not without.
    @Test func mapsGoOn() async throws {
        do {
            let first = try writer("s.h5", .init(shardRows: 2))
            try await first.append((0..<3).map(sample), finished: Date(timeIntervalSince1970: 1_800_000_060))
        }
        let failure = #expect(throws: Failure.self) {
            try writer("s.h5", .init(resume: true, shardRows: 2), structures: [])
        }
        #expect("\(failure.map { "\($0)" } ?? "")".contains("structures: expected vessels"))
        let rest = try writer("s.h5", .init(resume: true, shardRows: 2))
        #expect(rest.count == 3)
        try await rest.append((3..<5).map(sample), finished: Date(timeIntervalSince1970: 1_800_000_060))
        try await rest.finish()
        let file = try await SampleSetFile.open(folder.file("s.h5"))
        #expect(try await file.map("vessels", rows: Array(0..<5)) == (0..<5).flatMap(StructureTests.map))
        let whole = try await write("whole.h5", .init(shardRows: 2))
        #expect(try await SampleSetFile.contentDigest(file.path) == SampleSetFile.contentDigest(whole.path))
    }

    @Test func mapsOfOtherStructuresAreRefused() async throws {
        let nerves = try writer("nerves.h5", structures: ["nerves"])
        try await nerves.append([sample(0)])
        try await nerves.finish()
        await #expect(
            throws: Failure(.badData, folder.file("nerves.h5"), "/structure/nerves is no part of a sample set")
        ) {
            try await SampleSetFile.open(folder.file("nerves.h5"))
        }
    }

    @HDF5Actor
    @Test func mapsOfAnotherShapeAreRefused() async throws {
        let path = folder.file("narrow.h5"), file = try HDF5File.create(path), root = file.root
        for (name, value) in [
            ("kind", "fovea.samples"), ("synthetic", "YES"), ("digital_source_type", SampleSet.digitalSourceType),
            ("releasable", "NO"),
            ("created", "2026-01-31T12:00:00Z"), ("licence", "CC0"), ("attribution", ""), ("permitted_uses", ""),
            ("contact", ""),
        ] { try root.setAttribute(name, value) }
        for name in ["version", "schema_version"] { try root.setAttribute(name, 1) }
        _ = try root.createGroup("models")
        try root.write("images", [UInt8](repeating: 1, count: 240), shape: [1, 8, 10, 3])
        try root.createGroup("structure").write("vessels", [UInt8](repeating: 1, count: 72), shape: [1, 8, 9])
        try file.close()
        await #expect(
            throws: Failure(
                .badData, path, field: "/structure/vessels shape", expected: "[1, 8, 10]", found: "[1, 8, 9]")
        ) {
            try await SampleSetFile.open(path, verifying: false)
        }
    }

    /// A map whose bytes have changed in the file is found, with its row.
    @Test func damagedMapsAreFound() async throws {
        let file = try await write("s.h5", .init(deflate: 0))
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file.path))
        let place = try #require(bytes.firstRange(of: Data(StructureTests.map(3)))).lowerBound
        bytes[place + 5] ^= 1
        let path = folder.file("damaged.h5")
        try bytes.write(to: URL(fileURLWithPath: path))
        let places = await SampleSetVerification.findingsInContent(path, samplers: ["heun"]).map(\.place)
        #expect(places.contains("/structure/vessels row 3"))
        #expect(!places.contains("/structure/vessels row 2"))
    }
}
