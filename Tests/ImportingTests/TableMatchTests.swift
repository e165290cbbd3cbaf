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
        try folder.write([1], "photos/x.heic")
        try folder.write([1], "photos/sub/Y.HEIC")
        try folder.write([1], "photos/NOTES")
        let report = try importer.run().report
        #expect(report.kept == 4 && report.refused.isEmpty)
        #expect(Set(report.renamed.map(\.file)) == ["01_dr.jpg", decomposed, "sub/b.jpeg"])
        #expect(report.renamed.map(\.inTable).contains("01_DR.JPG") && report.renamed.count == 3)
        #expect(report.rowsWithoutPhotograph == ["gone.jpg"] && report.photographsWithoutRow == [])
        // The table and the map lie in the folder, and are not called unread.
        #expect(report.unread == [".heic": 2, "no suffix": 1] && report.ignoredFiles == 3)
        #expect(report.unreadFiles == [".heic": ["sub/Y.HEIC", "x.heic"], "no suffix": ["NOTES"]])
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
        try other.write([1], "x.BMP")
        try other.write([1], "y.heic")
        var empty = Importer(folder: other.path, site: "a", size: 32)
        empty.onePatientPerPhoto = true
        expectFailure(.badData, "2 other files: 1 .bmp, 1 .heic)") { try empty.run() }
    }

    @Test func `paths of other machines, other capitals and other suffixes find their photographs`() throws {
        let importer = try importer(
            ["1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg", "left/7.jpg", "left/8.jpg"],
            rows: [
                "./1.jpg,A,f", "/data/archive/2.jpg,B,f", "D:\\photos\\3.jpg,C,f", "sub/../4.JPG,D,f", "5.jpeg,E,f",
                "file:///data/6.JPE,F,f", "/mnt/x/left/7.jpg,G,f", "right/8.jpg,H,f",
            ])
        let report = try importer.run().report
        #expect(report.kept == 7 && report.patients == 7)
        // The eighth lies in another folder than its row says, and may be another patient's.
        #expect(report.refused.map(\.file) == ["left/8.jpg"] && report.rowsWithoutPhotograph == ["right/8.jpg"])
        #expect(report.photographsWithoutRow == ["left/8.jpg"])
        #expect(Set(report.renamed.map(\.file)) == ["2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg", "left/7.jpg"])
    }

    @Test func `of several rows that end alike, the one of the imported folder is meant`() throws {
        let both = try importer(["1.jpg"], rows: ["Test/1.jpg,B,m", "photos/1.jpg,A,f"]).run().report
        #expect(both.kept == 1 && both.renamed.map(\.inTable) == ["photos/1.jpg"])
        #expect(both.rowsWithoutPhotograph == ["Test/1.jpg"])
        let other = try importer(["1.jpg", "2.jpg"], rows: ["Test/1.jpg,B,m", "Train/1.jpg,A,f", "2.jpg,C,f"])
        let report = try other.run().report
        #expect(
            report.refused.map(\.reason) == [
                "its patient is unknown: \"Test/1.jpg\" and \"Train/1.jpg\" in the table could mean it"
            ])
    }

    @Test func `where no row or few rows fit, both sides are shown`() throws {
        let none = try importer(["a.jpg", "b.jpg"], rows: ["x.jpg,A,f", "y.jpg,B,f", "z.jpg,C,f", "w.jpg,D,f"])
        expectFailure(
            .badData,
            "the table names \"x.jpg\", \"y.jpg\", \"z.jpg\", ..., and the folder holds \"a.jpg\", \"b.jpg\""
        ) { try none.run() }
        expectFailure(.badData, "has no rows behind the header") { try importer(["a.jpg"], rows: []).run() }
        let few = try importer(["a.jpg", "b.jpg", "c.jpg"], rows: ["a.jpg,A,f", "y.jpg,B,f", "z.jpg,C,f"])
        #expect(
            try few.run().report.hint == """
                only 1 of 3 photographs have a row in the table: the table names "y.jpg", "z.jpg", and the folder \
                holds "b.jpg", "c.jpg"
                """)
    }

    @Test func `a map of paths needs no table, and takes none`() throws {
        var importer = try importer(["P1/1_A.jpg", "P1/2_N.jpg", "P2/3_D.jpg", "loose.jpg"], rows: ["x.jpg,A,f"])
        let map = """
            patient: {path: '^([^/]+)/'}
            attributes: {disease: {path: '_([ADN])[.]', codes: {A: amd, D: dr, N: healthy}}}
            """
        importer.map = try folder.write(Array(map.utf8), "paths.yaml")
        expectFailure(.usage, "names no column of photographs, so it reads no table") { try importer.run() }
        importer.labels = nil
        let report = try importer.run().report
        #expect(report.kept == 3 && report.patients == 2 && report.photographsWithoutLabels == 0)
        #expect(
            report.refused.map(\.reason) == [
                "its patient is unknown: the map's pattern ^([^/]+)/ matches no part of its path"
            ])
        importer.map = "idrid"
        expectFailure(.usage, "the map idrid reads a table of labels, and no table is given") { try importer.run() }
    }
}
