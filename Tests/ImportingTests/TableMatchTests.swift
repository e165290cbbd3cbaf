import Foundation
import Importing
import Support
import TestPictures
import Testing

/// How rows of a table find their photographs.
@Suite struct TableMatchTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// An import of some eyes under these names, with these rows of name, patient and sex.
    private func importer(_ names: [String], rows: [String]) throws -> Importer {
        for (eye, name) in names.enumerated() {
            let disc = SyntheticDisc(
                width: 320, height: 240, centerX: 160, centerY: 120, radius: 110, eye: UInt64(eye + 1))
            try folder.write(disc.picture.jpegData(quality: 90), "photos/" + name)
        }
        let map = """
            file: {column: name}
            patient: {column: patient}
            attributes: {sex: {column: sex, codes: {f: female, m: male}}}
            """
        var importer = Importer(folder: folder.file("photos"), site: "a", size: 32)
        let table = (["name,patient,sex"] + rows).joined(separator: "\n") + "\n"
        importer.labels = try folder.write(Array(table.utf8), "photos/labels.csv")
        importer.map = try folder.write(Array(map.utf8), "photos/map.yaml")
        return importer
    }

    @Test func `names that differ in capitals or Unicode form are matched, and said to be`() throws {
        let decomposed = "Mu\u{308}ller.jpg", composed = "M\u{FC}ller.jpg"
        let importer = try importer(
            ["01_dr.jpg", decomposed, "sub/b.jpeg", "plain.jpg"],
            rows: ["01_DR.JPG,A,f", "\(composed),B,m", "B.JPEG,C,m", "plain.jpg,D,f", "gone.jpg,E,f"])
        try folder.write([1], "photos/x.tiff")
        try folder.write([1], "photos/sub/Y.TIFF")
        try folder.write([1], "photos/NOTES")
        let report = try importer.run().report
        #expect(report.kept == 4 && report.refused.isEmpty)
        #expect(Set(report.renamed.map(\.file)) == ["01_dr.jpg", decomposed, "sub/b.jpeg"])
        #expect(report.renamed.map(\.inTable).contains("01_DR.JPG") && report.renamed.count == 3)
        #expect(report.rowsWithoutPhotograph == ["gone.jpg"] && report.photographsWithoutRow == [])
        // The table and the map lie in the folder, and are not called unread.
        #expect(report.unread == [".tiff": 2, "no suffix": 1] && report.ignoredFiles == 3)
        #expect(report.unreadFiles == [".tiff": ["sub/Y.TIFF", "x.tiff"], "no suffix": ["NOTES"]])
        #expect(report.trainPatients["sex"]?.values.reduce(0, +) ?? 0 >= 1)
        let summary = report.summary
        #expect(summary.unreadFiles == nil && summary.rowsWithoutPhotograph == nil && summary.photographs == nil)
        #expect(summary.unread == report.unread && summary.labelsWithoutPhotograph == 1)
    }

    @Test func `two rows that could mean one photograph match none, and say so`() throws {
        let importer = try importer(["x.jpg", "y.jpg"], rows: ["X.jpg,A,f", "x.JPG,B,m", "y.jpg,C,f", "Y.jpg,D,m"])
        let report = try importer.run().report
        #expect(report.kept == 1 && report.renamed.isEmpty)
        #expect(report.refused.map(\.file) == ["x.jpg"])
        #expect(
            report.refused.first?.reason
                == "its patient is unknown: \"X.jpg\" and \"x.JPG\" in the table could mean it")
        #expect(report.rowsWithoutPhotograph == ["X.jpg", "x.JPG", "Y.jpg"])
    }

    @Test func `a photograph without a row, a row without a patient and names without a suffix`() throws {
        let partial = try importer(["a.jpg", "b.jpg", "c.jpg"], rows: ["a.jpg,A,f", "b.jpg,,f"])
        let report = try partial.run().report
        #expect(
            report.refused.map(\.reason) == [
                "its patient is unknown: line 3 of the table names no patient",
                "its patient is unknown: the table has no row for it",
            ])
        #expect(report.photographsWithoutRow == ["c.jpg"])
        let bare = try importer(["a.jpg", "b.jpg", "c.jpg"], rows: ["a,A,f", "b,B,f", "c,C,m"])
        expectFailure(.badData, "(\"a\" for a.jpg): write file: {column: name, suffix: .jpg} in the map") {
            try bare.run()
        }
        let other = try TemporaryFolder()
        try other.write([1], "x.TIF")
        try other.write([1], "y.dcm")
        var empty = Importer(folder: other.path, site: "a", size: 32)
        empty.onePatientPerPhoto = true
        expectFailure(.badData, "2 other files: 1 .dcm, 1 .tif)") { try empty.run() }
    }
}
