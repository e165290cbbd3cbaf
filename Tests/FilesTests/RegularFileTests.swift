import Files
import Foundation
import Support
import Testing

@Suite struct RegularFileTests {
    @Test func `a file is one, and so is a link to it; folders, pipes and devices are none`() throws {
        let folder = try TemporaryFolder(), file = try folder.write([1], "file")
        func link(_ name: String, to target: String) throws -> String {
            try FileManager.default.createSymbolicLink(atPath: folder.file(name), withDestinationPath: target)
            return folder.file(name)
        }
        for path in [file, try link("link", to: file)] {
            try RegularFile.require(path)
            #expect(RegularFile.exists(path))
        }
        let pipe = folder.file("pipe")
        try #require(mkfifo(pipe, 0o600) == 0)
        for (path, kind, sentence) in [
            (folder.path, .badData, "is a folder; name a file in it"),
            (try link("folder", to: folder.path), .badData, "is a folder; name a file in it"),
            (pipe, .badData, "is a pipe or a device, and not a file"),
            ("/dev/null", .badData, "is a pipe or a device, and not a file"),
            (folder.file("absent"), .noSuchInput, "does not exist"),
            (try link("broken", to: folder.file("absent")), .noSuchInput, "does not exist"),
            (file + "/x", .noSuchInput, "does not exist"), ("", .noSuchInput, "does not exist"),
        ] as [(String, Failure.Kind, String)] {
            let failure = expectFailure(kind, sentence, "\(path)") { try RegularFile.require(path) }
            #expect(failure == Failure(kind, path, sentence))
            #expect(!RegularFile.exists(path), "\(path)")
        }
    }

    @Test func `contents of a file that is missing or a folder are refused`() throws {
        let folder = try TemporaryFolder(), file = try folder.write([1, 2], "file")
        #expect(try JSONText.contents(file) == Data([1, 2]))
        expectFailure(.noSuchInput, "does not exist") { try JSONText.contents(folder.file("absent")) }
        expectFailure(.readOrWriteFailed, "could not be read") { try JSONText.contents(folder.path) }
    }

    @Test func `the system says what memory is held`() {
        let bytes = [UInt8](repeating: 1, count: 64 << 20)
        let held = MemoryFigures.resident
        #expect(held > 64 << 20 && MemoryFigures.peak >= held && MemoryFigures.available > 0 && bytes.last == 1)
    }
}
