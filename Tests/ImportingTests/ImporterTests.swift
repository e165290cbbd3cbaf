import Cryptography
import Datasets
import Files
import Foundation
import Importing
import Pictures
import Support
import TestPictures
import Testing

@Suite("Import")
struct ImporterTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ disc: SyntheticDisc, _ name: String) throws {
        let picture = disc.picture
        try folder.write(name.hasSuffix("png") ? picture.pngData() : picture.jpegData(quality: 90), "photos/" + name)
    }

    /// Six eyes, a copy of one with another grade, a text file, a truncated photograph, other files.
    private func importer() throws -> Importer {
        for eye in 1...6 {
            try write(
                SyntheticDisc(width: 320, height: 240, centerX: 160, centerY: 120, radius: 110, eye: UInt64(eye)),
                "\(eye).jpg")
        }
        try write(
            SyntheticDisc(width: 320, height: 240, centerX: 160, centerY: 120, radius: 110, eye: 2), "sub/2-again.png")
        try folder.write(Array("no picture".utf8), "photos/note.jpg")
        let whole = try Data(contentsOf: URL(fileURLWithPath: folder.file("photos/1.jpg")))
        try folder.write(whole.prefix(whole.count / 2), "photos/half.jpg")
        try folder.write([1, 2], "photos/readme.txt")
        try folder.write([1, 2], "photos/.hidden.jpg")
        var table = "name,patient,grade\n"
        for eye in 1...6 { table += "\(eye).jpg,P\((eye + 1) / 2),\(eye % 5)\n" }
        table += "2-again.png,P9,4\nnote.jpg,P1,0\nhalf.jpg,P1,0\nabsent.jpg,P1,1\n"
        let map = """
            file: {column: name}
            patient: {column: patient}
            attributes: {dr_icdr: {column: grade, codes: {"0": "0", "1": "1", "2": "2", "3": "3", "4": "4"}}}
            """
        var importer = Importer(folder: folder.file("photos"), site: "a", size: 64)
        importer.labels = try folder.write(Array(table.utf8), "labels.csv")
        importer.map = try folder.write(Array(map.utf8), "map.yaml")
        importer.secret = SecretBytes([UInt8](repeating: 9, count: 16))
        return importer
    }

    @Test("keeps, refuses, drops copies and counts, each with its name")
    func report() throws {
        let imported = try importer().run()
        let report = imported.report
        #expect(report.kept == 6 && imported.count == 6)
        #expect(report.refused.map(\.file) == ["half.jpg", "note.jpg"])
        #expect(report.refused.last?.reason == "is not a JPEG, PNG, TIFF, WebP or JPEG 2000 file")
        #expect(report.duplicates.count == 1)
        let copy = try #require(report.duplicates.first)
        #expect(copy.file == "sub/2-again.png" && copy.of == "2.jpg" && copy.kind == .near && copy.conflict)
        #expect(
            report.labelConflicts.map(\.file) == ["2.jpg"]
                && report.labelConflicts.first?.attributes.contains("dr_icdr") == true)
        #expect(report.ignoredFiles == 1 && report.labelsWithoutPhotograph == 1 && report.photographsWithoutLabels == 0)
        #expect(report.patients == 3)
        #expect(report.splits.train + report.splits.validation + report.splits.holdout == 6)
        let records = try imported.records()
        #expect(
            records[1].cohort["dr_icdr"] == nil && records[0].cohort["dr_icdr"] == "1"
                && records[0].cohort["site"] == "a")
        #expect(records[0].patient == records[1].patient && records[1].patient != records[2].patient)
        #expect(Set(records.map { "\($0.patient) \($0.split)" }).count == 3, "a patient in two splits")
        #expect(records.allSatisfy { $0.pixels.count == 64 * 64 * 3 && $0.pixels.contains { $0 > 100 } })
    }

    @Test("the result does not depend on the number of threads")
    func threads() throws {
        var importer = try importer()
        let one = try importer.run()
        importer.threads = 4
        let four = try importer.run()
        #expect(one.report == four.report)
        let (records, others) = (try one.records(), try four.records())
        #expect(records.count == others.count && !records.isEmpty)
        for (a, b) in zip(records, others) {
            #expect(a.pixels == b.pixels && a.patient == b.patient && a.split == b.split && a.cohort == b.cohort)
        }
    }

    @Test("a copy under another patient ties the two patients together")
    func tied() throws {
        var importer = try importer()
        let disc = SyntheticDisc(width: 320, height: 240, centerX: 160, centerY: 120, radius: 110, eye: 5)
        try write(disc, "7.png")
        importer.labels = try folder.write(
            Array(
                """
                name,patient,grade\n1.jpg,A,1\n2.jpg,B,1\n3.jpg,C,1\n4.jpg,D,1\n\
                5.jpg,E,1\n6.jpg,F,1\n7.png,D,1\n2-again.png,B,1\n
                """
                .utf8), "l.csv")
        let imported = try importer.run()
        #expect(imported.report.duplicates.map(\.file) == ["7.png", "sub/2-again.png"])
        let records = try imported.records()
        #expect(records[3].patient == records[4].patient && records[3].split == records[4].split)
        #expect(imported.report.patients == 5)
    }

    @Test("without a patient column the flag is needed; with one it is refused; without a row the patient is unknown")
    func patients() throws {
        var importer = try importer()
        importer.onePatientPerPhoto = true
        #expect { try importer.run() } throws: { ($0 as? Failure)?.kind == .usage }
        importer.labels = nil
        #expect { try importer.run() } throws: { ($0 as? Failure)?.kind == .usage }
        importer.map = nil
        let imported = try importer.run()
        #expect(imported.report.onePatientPerPhoto && imported.report.patients == 6)
        importer.onePatientPerPhoto = false
        #expect { try importer.run() } throws: {
            ($0 as? Failure)?.kind == .usage && ($0 as? Failure)?.remedy == .onePatientPerPhoto
        }
        var partial = try self.importer()
        partial.labels = try folder.write(Array("name,patient,grade\n1.jpg,A,1\n2.jpg,,2\n".utf8), "l.csv")
        let report = try partial.run().report
        #expect(
            report.kept == 1
                && report.refused.first { $0.file == "3.jpg" }?.reason.contains("patient is unknown") == true)
    }

    @Test("a folder that is missing, empty or without photographs")
    func folders() throws {
        func kind(_ path: String) -> Failure.Kind? {
            var importer = Importer(folder: path, site: "a", size: 64)
            importer.onePatientPerPhoto = true
            do {
                _ = try importer.run()
                return nil
            } catch {
                return (error as? Failure)?.kind
            }
        }
        #expect(kind(folder.file("none")) == .noSuchInput)
        try FileManager.default.createDirectory(atPath: folder.file("empty"), withIntermediateDirectories: true)
        #expect(kind(folder.file("empty")) == .badData)
        try folder.write([1], "text/a.txt")
        #expect(kind(folder.file("text")) == .badData)
        try folder.write([1], "bad/a.jpg")
        #expect(kind(folder.file("bad")) == .badData)
    }

    @Test("the data set holds the records and no file name; the report beside it is private")
    func written() async throws {
        let imported = try importer().run()
        let out = folder.file("site.h5")
        let report = try await imported.write(to: out, .init(source: "test", licence: "CC0"), force: false)
        #expect(report == folder.file("site.import-report.json"))
        let file = try await DatasetFile.open(out)
        #expect(file.count == 6 && file.size == 64 && file.info.licence == "CC0" && !file.info.onePatientPerPhoto)
        #expect(file.patients == (try imported.records()).map(\.patient))
        #expect(try await file.images(rows: [2]) == imported.records(2..<3)[0].pixels)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: out))
        for name in ["1.jpg", "2-again", "half.jpg"] { #expect(bytes.range(of: Data(name.utf8)) == nil) }
        let mode = try FileManager.default.attributesOfItem(atPath: report)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let read = try JSONDecoder().decode(ImportReport.self, from: Data(contentsOf: URL(fileURLWithPath: report)))
        #expect(read == imported.report && read.photographs?.count == 6)
        await #expect {
            try await imported.write(to: out, .init(source: "test", licence: "CC0"), force: false)
        } throws: {
            ($0 as? Failure)?.kind == .cannotCreateOutput
        }
    }
}
