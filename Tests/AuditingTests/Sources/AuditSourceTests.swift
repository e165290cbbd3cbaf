import Auditing
import Datasets
import Files
import Foundation
import Importing
import Phantoms
import Pictures
import Support
import Testing

@Suite struct AuditSourceTests {
    private static let phantoms: [Picture] = {
        guard let generator = try? PhantomGenerator(patients: 3, size: 96, seed: 41) else { fatalError("no phantoms") }
        return generator.phantoms(0..<3, threads: 2).map { Picture(width: 96, height: 96, pixels: $0.pixels) }
    }()

    private func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write(Self.phantoms[1].pngData(), "b.png")
        try folder.write(Self.phantoms[0].pngData(), "a.png")
        try folder.write(Self.phantoms[2].jpegData(quality: 95), "sub/c.jpg")
        try folder.write("not a picture".utf8, "notes.txt")
        return folder
    }

    @Test func `a folder's pictures are read in the order of their names, and cut pictures stay as they are`()
        async throws
    {
        let folder = try folder(), source = try await AuditSource(folder.path)
        #expect(source.count == 3 && source.size == nil)
        #expect((0..<3).map { source.name($0) } == ["a.png", "b.png", "sub/c.jpg"])
        let read = try await source.pictures([0, 1, 2], size: 96)
        #expect(read[0] == Self.phantoms[0] && read[1] == Self.phantoms[1])
        #expect(read.patients == [0, 1, 2])
        // JPEG changes levels a little, and nothing moves.
        #expect(read[2].pixels.count == Self.phantoms[2].pixels.count)
        let difference = zip(read[2].pixels, Self.phantoms[2].pixels).map { abs(Int($0) - Int($1)) }.reduce(0, +)
        #expect(Double(difference) / Double(96 * 96 * 3) < 3)
        let small = try await source.pictures([1], size: 48)
        #expect(small[0] == Self.phantoms[1].resized(width: 48, height: 48))
    }

    @Test func `the digest follows from names and bytes of the pictures alone`() async throws {
        let folder = try folder(), digest = try await AuditSource(folder.path).digest
        let again = try await AuditSource(folder.path).digest
        #expect(again == digest)
        try folder.write("other words".utf8, "notes.txt")
        let noted = try await AuditSource(folder.path).digest
        #expect(noted == digest)
        var bytes = Array(try Self.phantoms[2].jpegData(quality: 95))
        bytes[bytes.count / 2] ^= 1
        try folder.write(bytes, "sub/c.jpg")
        let changed = try await AuditSource(folder.path).digest
        #expect(changed != digest)
        try FileManager.default.moveItem(atPath: folder.file("b.png"), toPath: folder.file("d.png"))
        let renamed = try await AuditSource(folder.path).digest
        #expect(renamed != changed)
    }

    @Test func `a raw photograph is cut as the importer cuts it, and its letters go`() async throws {
        // A phantom on a wide black frame, off its centre, with a bright letter in the corner.
        guard let generator = try? PhantomGenerator(patients: 1, size: 400, seed: 42) else { fatalError("no phantoms") }
        let eye = generator.phantoms(0..<1, threads: 2)[0].pixels
        var photograph = Picture(width: 720, height: 480)
        for y in 0..<400 {
            for x in 0..<400 {
                photograph[x + 230, y + 30] = SIMD3(
                    eye[(y * 400 + x) * 3], eye[(y * 400 + x) * 3 + 1], eye[(y * 400 + x) * 3 + 2])
            }
        }
        for y in 10..<50 { for x in 10..<40 where (x / 6 + y / 9) % 2 == 0 { photograph[x, y] = SIMD3(250, 250, 250) } }
        let folder = try TemporaryFolder()
        try folder.write(photograph.pngData(), "raw.png")
        let read = try await AuditSource(folder.path).pictures([0], size: 128)[0]
        let expected = FundusCrop(
            photograph, fieldOfView: try FieldOfView.detected(in: photograph, name: "raw.png"), size: 128
        ).picture
        #expect(read == expected)
        #expect(read[1, 1] == SIMD3(0, 0, 0) && read[126, 1] == SIMD3(0, 0, 0) && read[64, 64].x > 40)
        // The eye is as large and as much in the middle as in the phantom itself.
        let phantom = Picture(width: 400, height: 400, pixels: eye).resized(width: 128, height: 128)
        #expect(read.pixels.count == phantom.pixels.count)
        let difference = zip(read.pixels, phantom.pixels).map { abs(Int($0) - Int($1)) }.reduce(0, +)
        #expect(Double(difference) / Double(128 * 128 * 3) < 6)
    }

    @Test func `a picture without a surround is squared about its centre`() async throws {
        var filled = Picture(width: 120, height: 80)
        for y in 0..<80 {
            for x in 0..<120 {
                filled[x, y] = x < 20 || x >= 100 ? SIMD3(10, 250, 10) : SIMD3(UInt8(90 + y), 90, UInt8(60 + x))
            }
        }
        let folder = try TemporaryFolder()
        try folder.write(filled.pngData(), "filled.png")
        let read = try await AuditSource(folder.path).pictures([0], size: 80)[0]
        // What lies left and right of the middle 80 columns is gone.
        let greens = read.pixels.enumerated().filter { $0.offset % 3 == 1 }.map(\.element)
        #expect(greens.max() ?? 255 < 120)
    }

    @Test func `what is not there, empty or no picture is refused with a sentence`() async throws {
        let folder = try TemporaryFolder()
        await #expect { _ = try await AuditSource(folder.file("nothing")) } throws: {
            ($0 as? Failure)?.kind == .noSuchInput
        }
        await #expect { _ = try await AuditSource(folder.path) } throws: { ($0 as? Failure)?.kind == .badData }
        try folder.write("words".utf8, "a.png")
        let source = try await AuditSource(folder.path)
        await #expect { _ = try await source.pictures([0], size: 64) } throws: { ($0 as? Failure)?.kind == .badData }
    }
}
