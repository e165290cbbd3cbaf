import Files
import Foundation
import HDF5Files
import Support
import Testing

@HDF5Actor
@Suite struct DeterminismTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func write(_ path: String, date: String, last: UInt8 = 9, label: String = "row", code: Int8 = 1) throws {
        let file = try HDF5File.create(path, userBlock: 512)
        try file.root.setAttribute("created", date)
        try file.root.setAttribute("site", "Aachen")
        let storage = HDF5Storage(chunkRows: 1, deflate: 1, fletcher32: true, isExtendible: true)
        let images = try file.root.create("images", UInt8.self, shape: [2, 8, 8, 3], storage: storage)
        try images.setDimensionLabels([label, "height", "width", "channel"])
        try images.write((0..<384).map { $0 == 383 ? last : UInt8($0 % 251) }, rows: 0..<2)
        let runs = try file.root.createGroup("runs")
        try runs.write("started", strings: [date])
        try runs.write("sampler", strings: ["heun"])
        try file.root.write("codes", codes: [Int8(0)], members: [("no", 0), ("yes", code)])
        try file.close()
    }

    @Test func sameContentIsTheSameBytes() async throws {
        try write(folder.file("a.h5"), date: "2026-01-01T00:00:00Z")
        // Object times would differ by now.
        try await Task.sleep(for: .milliseconds(1100))
        try write(folder.file("b.h5"), date: "2026-01-01T00:00:00Z")
        let a = try Data(contentsOf: URL(fileURLWithPath: folder.file("a.h5")))
        #expect(a == (try Data(contentsOf: URL(fileURLWithPath: folder.file("b.h5")))))
        #expect(a.prefix(512) == Data(count: 512))
    }

    @Test func contentDigestLeavesOutWhatItIsToldAndNothingElse() throws {
        let excluded: Set = ["created", "/runs/started"]
        func digest(_ name: String) throws -> Digest {
            try HDF5File.open(folder.file(name)).contentDigest(excluding: excluded)
        }
        try write(folder.file("a.h5"), date: "2026-01-01T00:00:00Z")
        try write(folder.file("b.h5"), date: "2027-12-31T00:00:00Z")
        try write(folder.file("pixel.h5"), date: "2026-01-01T00:00:00Z", last: 8)
        try write(folder.file("label.h5"), date: "2026-01-01T00:00:00Z", label: "n")
        try write(folder.file("member.h5"), date: "2026-01-01T00:00:00Z", code: 2)
        let reference = try digest("a.h5")
        #expect(try digest("b.h5") == reference)
        #expect(try digest("pixel.h5") != reference)
        #expect(try digest("label.h5") != reference)
        #expect(try digest("member.h5") != reference)
        let whole = try ["a.h5", "b.h5"].map { try HDF5File.open(folder.file($0)).contentDigest() }
        #expect(whole[0] != whole[1])
    }
}
