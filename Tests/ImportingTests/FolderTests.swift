import Files
import Foundation
import Importing
import Support
import Synchronization
import TestPictures
import Testing

@Suite("Folders of photographs")
struct FolderTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func photograph(_ eye: UInt64) throws -> Data {
        try SyntheticDisc(width: 200, height: 150, centerX: 100, centerY: 75, radius: 70, eye: eye).picture.pngData()
    }

    /// Writes a file whose name, in Latin-1, is no UTF-8.
    private func write(_ bytes: Data, latin1 name: String) throws {
        let path = RawPath(folder.path).appending(name.unicodeScalars.map { UInt8($0.value) })
        let descriptor = path.withCString { open($0, O_WRONLY | O_CREAT, 0o600) }
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        try #require(bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) } == bytes.count)
    }

    private func imported(_ path: String) throws -> ImportReport {
        var importer = Importer(folder: path, site: "a", size: 32)
        importer.onePatientPerPhoto = true
        return try importer.run().report
    }

    @Test("names that are not UTF-8 are read, and shown with their bytes escaped")
    func latin1() throws {
        let path = RawPath(folder.path).appending(Array("p".utf8)).appending([0x4D, 0xFC])
        try FileManager.default.createDirectory(atPath: folder.file("p"), withIntermediateDirectories: true)
        try #require(path.withCString { mkdir($0, 0o700) } == 0)
        try write(photograph(1), latin1: "p/M\u{FC}ller.png")
        try write(photograph(2), latin1: "p/M\u{FC}/rechts.png")
        try folder.write(Array(photograph(3)), "p/Mu\u{308}ller.png")
        try folder.write(Array(photograph(4)), "p/M\u{FC}ller.png")
        try write(Data([1]), latin1: "p/\u{FF}.txt")
        let report = try imported(folder.file("p"))
        let names = Set((report.photographs ?? []).map { Array($0.file.utf8) })
        let expected = ["M\\xFCller.png", "M\\xFC/rechts.png", "Mu\u{308}ller.png", "M\u{FC}ller.png"]
        #expect(names == Set(expected.map { Array($0.utf8) }))
        #expect(report.refused.isEmpty && report.unreadFiles == [".txt": ["\\xFF.txt"]])
    }

    @Test("links are followed once each, and what is no file is named")
    func links() throws {
        try folder.write(Array(photograph(1)), "p/1.png")
        try folder.write(Array(photograph(2)), "elsewhere/2.png")
        for (link, target) in [
            ("elsewhere", "../elsewhere"), ("again", "../elsewhere"), ("circle", "."), ("broken.png", "none"),
            ("device.png", "/dev/null"),
        ] { try #require(symlink(target, folder.file("p/\(link)")) == 0) }
        try #require(symlink("../p", folder.file("elsewhere/back")) == 0)
        try #require(mkfifo(folder.file("p/pipe.jpg"), 0o600) == 0)
        let report = try imported(folder.file("p"))
        #expect(report.photographs?.map(\.file) == ["1.png", "again/2.png"])
        #expect(
            report.skipped.map { "\($0.file) \($0.reason)" } == [
                "broken.png is a broken link: No such file or directory",
                "device.png is a link to a device, not to a file",
                "pipe.jpg is a pipe, not a file",
            ])
        // A folder that holds nothing but a link to one.
        try FileManager.default.createDirectory(atPath: folder.file("only"), withIntermediateDirectories: true)
        try #require(symlink("../elsewhere", folder.file("only/link")) == 0)
        let linked = try imported(folder.file("only"))
        #expect(linked.kept == 2)
    }

    @Test("hidden pictures and folders are counted")
    func hidden() throws {
        try folder.write(Array(photograph(1)), "p/1.png")
        for name in ["__MACOSX/._1.png", "__MACOSX/._2.png", ".DS_Store", ".thumbnails/1.png"] {
            try folder.write([1], "p/" + name)
        }
        let report = try imported(folder.file("p"))
        #expect(
            report.skipped == [
                .init(file: ".thumbnails", reason: "is a hidden folder and was not searched"),
                .init(
                    file: "__MACOSX",
                    reason: "holds 2 pictures with hidden names (they begin with a dot), which were not read"),
            ])
    }

    @Test("a folder that may not be listed is skipped and named; an audit does not go on without it")
    func unlistable() throws {
        try folder.write(Array(photograph(1)), "p/1.png")
        try folder.write(Array(photograph(2)), "p/locked/2.png")
        chmod(folder.path, 0o755)
        chmod(folder.file("p/locked"), 0)
        defer { chmod(folder.file("p/locked"), 0o700) }
        let path = folder.file("p")
        let found = Mutex<PhotographFolder?>(nil)
        guard withoutRights({ found.withLock { $0 = try? PhotographFolder(path) } }) else { return }
        let listing = try #require(found.withLock { $0 })
        #expect(listing.photographs == ["1.png"])
        #expect(
            listing.unsearched == [.init(file: "locked", reason: "could not be listed: Permission denied")])
    }

    @Test("previews are counted by folder, and named where no copy of them is there")
    func previews() throws {
        try folder.write(Array(photograph(1)), "p/@eaDir/1.png/small.png")
        try folder.write(Array(photograph(2)), "p/Thumbs/2.png")
        try folder.write(Array(photograph(2)), "p/z/2.png")
        let report = try imported(folder.file("p"))
        #expect(report.previews.map(\.folder) == ["@eaDir", "Thumbs"])
        #expect(report.previews.map(\.photographs) == [1, 1])
        #expect(report.flags.map(\.file) == ["@eaDir/1.png/small.png"] && report.flags.first?.what == .preview)
    }
}
