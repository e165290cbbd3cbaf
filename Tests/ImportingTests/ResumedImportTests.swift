import Cryptography
import Files
import Foundation
import Importing
import Pictures
import Support
import TestPictures
import Testing

@Suite("Imports that go on")
struct ResumedImportTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ eye: UInt64, _ name: String) throws {
        let disc = SyntheticDisc(width: 320, height: 240, centerX: 160, centerY: 120, radius: 110, eye: eye)
        try folder.write(disc.picture.jpegData(quality: 90), "photos/" + name)
    }

    private func importer() throws -> Importer {
        for eye in 1...5 { try write(UInt64(eye), "\(eye).jpg") }
        try folder.write(Array("no picture".utf8), "photos/note.jpg")
        var importer = Importer(folder: folder.file("photos"), site: "a", size: 64)
        importer.onePatientPerPhoto = true
        importer.secret = SecretBytes([UInt8](repeating: 9, count: 16))
        try FileManager.default.createDirectory(atPath: folder.file("kept"), withIntermediateDirectories: true)
        importer.resumableFolder = folder.file("kept")
        return importer
    }

    /// Makes a photograph unreadable in a way that its size and its time do not show.
    private func spoil(_ name: String) throws {
        let path = folder.file("photos/" + name)
        var status = stat()
        try #require(stat(path, &status) == 0)
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.write(contentsOf: Data(count: Int(status.st_size)))
        try file.close()
        try #require(utimensat(AT_FDCWD, path, [status.st_atim, status.st_mtim], 0) == 0)
    }

    @Test("what was read is not read again, what has changed is, and a line that was cut off is dropped")
    func readings() throws {
        let importer = try importer()
        let whole = try importer.run()
        let lines = folder.file("kept/readings.jsonl")
        let text = try Data(contentsOf: URL(fileURLWithPath: lines))
        #expect(text.filter { $0 == UInt8(ascii: "\n") }.count == 6)
        // The process was killed while it wrote the last line.
        try text.dropLast(20).write(to: URL(fileURLWithPath: lines))
        let names = text.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        let last = try #require((1...5).map { "\($0).jpg" }.first { !names[5].contains("\"\($0)\"") })
        try spoil(last)
        let again = try importer.run()
        #expect(again.report == whole.report)
        #expect(try again.records().map(\.pixels) == whole.records().map(\.pixels))
        // A changed file is read again.
        try write(9, last)
        let changed = try importer.run()
        #expect(changed.report.kept == 5)
        #expect(try changed.records().map(\.pixels) != whole.records().map(\.pixels))
    }

    @Test("two files whose names differ in their Unicode form alone are not taken for each other")
    func forms() throws {
        let importer = try importer()
        for (eye, name) in [(7, "\u{E9}.jpg"), (8, "e\u{301}.jpg")] { try write(UInt64(eye), name) }
        let whole = try importer.run(), again = try importer.run()
        #expect(whole.report.kept == 7 && again.report == whole.report)
        #expect(try again.records().map(\.pixels) == whole.records().map(\.pixels))
    }

    @Test("pairs that were found are kept with what they depend on")
    func pairs() throws {
        var importer = try importer()
        importer.exhaustiveUpTo = 2
        let report = try importer.run().report
        let lines = folder.file("kept/pairs.jsonl")
        let text = try String(contentsOfFile: lines, encoding: .utf8)
        #expect(text.split(separator: "\n").count == 2)
        // If the pairs are taken from the file, a pair that is written into it comes out.
        let head = try #require(text.split(separator: "\n").first)
        let forged = "\(head)\n" + #"{"done":5,"pairs":[{"index":3,"other":1,"score":0.5}]}"# + "\n"
        try forged.write(toFile: lines, atomically: false, encoding: .utf8)
        let resumed = try importer.run().report
        #expect(report.sameEye.isEmpty && resumed.sameEye.map { [$0.file, $0.of] } == [["4.jpg", "2.jpg"]])
        // With other photographs, they are looked for anew.
        try write(8, "8.jpg")
        #expect(try importer.run().report.sameEye.isEmpty)
    }

    @Test("a folder belongs to one output, its settings and its secret")
    func unfinished() throws {
        var importer = try importer()
        importer.resumableFolder = nil
        importer.secret = nil
        let out = folder.file("a.h5")
        var first: Importer = importer, second = importer
        do {
            let begun = try UnfinishedImport(
                of: importer, in: UnfinishedFolder(for: out), resumes: false, replaces: false)
            begun.prepare(&first)
            _ = try first.run()
            let told = begun.explained(Failure(.readOrWriteFailed, out, "the disk is full"))
            #expect(told.remedy == .resume && told.sentence.contains("what was read is kept in \(out).unfinished"))
        }
        #expect {
            try UnfinishedImport(of: importer, in: UnfinishedFolder(for: out), resumes: false, replaces: false)
        } throws: {
            ($0 as? Failure)?.kind == .cannotCreateOutput && ($0 as? Failure)?.remedy == .resumeOrDiscard
        }
        var other = importer
        other.size = 32
        #expect {
            try UnfinishedImport(of: other, in: UnfinishedFolder(for: out), resumes: true, replaces: false)
        } throws: {
            ($0 as? Failure)?.kind == .usage && ($0 as? Failure)?.sentence.contains("64, with which") == true
        }
        let settings = out + ".unfinished/import.json", text = try String(contentsOfFile: settings, encoding: .utf8)
        try text.replacingOccurrences(of: #""reader":2"#, with: #""reader":0"#).write(
            toFile: settings, atomically: false, encoding: .utf8)
        #expect {
            try UnfinishedImport(of: importer, in: UnfinishedFolder(for: out), resumes: true, replaces: false)
        } throws: {
            ($0 as? Failure)?.sentence.contains("another version of fovea began") == true
        }
        try text.write(toFile: settings, atomically: false, encoding: .utf8)
        let resumed = try UnfinishedImport(of: importer, in: UnfinishedFolder(for: out), resumes: true, replaces: false)
        resumed.prepare(&second)
        #expect(try first.run().patients == second.run().patients, "the secret was drawn twice")
        try resumed.finish()
        #expect(!FileManager.default.fileExists(atPath: out + ".unfinished"))
    }

    @Test("no failure removes what was read")
    func kept() throws {
        var importer = try importer()
        importer.resumableFolder = nil
        let out = folder.file("a.h5")
        for resumes in [false, true] {
            let begun = try UnfinishedImport(
                of: importer, in: UnfinishedFolder(for: out), resumes: resumes, replaces: false)
            var prepared = importer
            begun.prepare(&prepared)
            if !resumes { _ = try prepared.run() }
            let failure = begun.explained(Failure(.noSuchInput, "photographs", "does not exist"))
            #expect(failure.sentence.hasPrefix("does not exist; what was read is kept") && failure.remedy == .resume)
            #expect(FileManager.default.fileExists(atPath: out + ".unfinished/readings.jsonl"))
        }
        // A file of pictures that is shorter than the journal says is read again.
        let pictures = out + ".unfinished/pictures"
        try #require(truncate(pictures, 64 * 64 * 3 * 2) == 0)
        let resumed = try UnfinishedImport(of: importer, in: UnfinishedFolder(for: out), resumes: true, replaces: false)
        resumed.prepare(&importer)
        let records = try importer.run().records()
        #expect(records.count == 5 && records.allSatisfy { $0.pixels.contains { $0 > 100 } })
    }

    @Test("a failure that leaves nothing to go on with leaves no folder")
    func nothing() throws {
        let out = folder.file("a.h5")
        let begun = try UnfinishedImport(
            of: importer(), in: UnfinishedFolder(for: out), resumes: false, replaces: false)
        let failure = begun.explained(Failure(.badData, "labels.csv", "is no table"))
        #expect(failure.sentence == "is no table" && !FileManager.default.fileExists(atPath: out + ".unfinished"))
    }
}
