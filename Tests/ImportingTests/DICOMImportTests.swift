import Cryptography
import Datasets
import Files
import Foundation
import Importing
import Pictures
import Support
import TestPictures
import Testing

@Suite("Import of DICOM files")
struct DICOMImportTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func eye(_ number: UInt64) -> Picture {
        SyntheticDisc(width: 128, height: 96, centerX: 64, centerY: 48, radius: 44, eye: number).picture
    }

    private func file(_ number: UInt64, patient: String? = nil, eye side: String? = nil) -> DICOMBuilder {
        var file = DICOMBuilder(eye(number))
        if let patient { file.elements[0x0010_0020] = .text(patient) }
        if let side { file.elements[0x0020_0062] = .text(side, vr: "CS") }
        return file
    }

    private func importer(map: String?) throws -> Importer {
        var importer = Importer(folder: folder.file("photos"), site: "a", size: 32)
        importer.map = map
        importer.onePatientPerPhoto = map == nil
        importer.secret = SecretBytes([UInt8](repeating: 9, count: 16))
        return importer
    }

    @Test("a mixed folder: DICOM by its content, frames, patients and eyes from the header")
    func mixed() throws {
        try folder.write(file(1, patient: "P1", eye: "R").bytes, "photos/a.dcm")
        try folder.write(file(2, patient: "P1", eye: "L").bytes, "photos/IM000001")
        try folder.write(file(3, patient: "P2").bytes, "photos/1.2.840.113619.2")
        try folder.write(file(4).bytes, "photos/nobody.dicom")
        try folder.write(eye(5).pngData(), "photos/picture.png")
        try folder.write(Array("no pixels".utf8), "photos/README")
        var frames = file(6, patient: "P3", eye: "L")
        frames.elements[0x0028_0008] = .text("2", vr: "IS")
        frames.elements[0x7FE0_0010] = .bytes(eye(6).pixels + eye(7).pixels)
        try folder.write(frames.bytes, "photos/two.dcm")
        var directory = file(8)
        directory.sopClass = "1.2.840.10008.1.3.10"
        try folder.write(directory.bytes, "photos/DICOMDIR")
        var synthetic = file(9, patient: "P4")
        synthetic.elements[0x0008_001C] = .text("YES", vr: "CS")
        try folder.write(synthetic.bytes, "photos/synthetic.dcm")
        var dye = file(10, patient: "P4")
        dye.elements[0x0018_0010] = .text("Fluorescein")
        try folder.write(dye.bytes, "photos/dye.dcm")

        let imported = try importer(map: "dicom").run()
        let report = imported.report
        #expect(
            report.photographs?.map(\.file) == ["1.2.840.113619.2", "IM000001", "a.dcm", "two.dcm#1", "two.dcm#2"])
        #expect(report.patients == 3)
        #expect(try imported.records().map { $0.cohort["laterality"] } == [nil, "left", "right", "left", "left"])
        #expect(report.refused.map(\.file) == ["dye.dcm", "nobody.dicom", "picture.png", "synthetic.dcm"])
        let reasons = report.refused.map(\.reason)
        #expect(reasons[0].hasPrefix("is an angiogram"))
        #expect(
            reasons[1] == "its patient is unknown: it has no DICOM header that names one" && reasons[2] == reasons[1])
        #expect(reasons[3].hasPrefix("is a synthetic picture") && report.refused[3].isSynthetic)
        #expect(
            report.skipped.map { "\($0.file) \($0.reason)" } == [
                "DICOMDIR is the table of contents of a disc (DICOMDIR)"
            ])
        #expect(report.unread == ["no suffix": 1])
    }

    @Test("letters of which the header speaks")
    func annotated() throws {
        var named = file(1)
        named.elements[0x0028_0301] = .text("YES", vr: "CS")
        try folder.write(named.bytes, "photos/named.dcm")
        var clean = file(2)
        clean.elements[0x0028_0301] = .text("NO", vr: "CS")
        try folder.write(clean.bytes, "photos/clean.dcm")
        var importer = try importer(map: nil)
        let flags = try importer.run().report.flags
        #expect(flags.map { "\($0.file) \($0.what)" } == ["named.dcm text"])
        importer.text = .refuse
        let report = try importer.run().report
        #expect(report.kept == 1 && report.refused.map(\.file) == ["named.dcm"])
        #expect(report.refused.first?.reason == "its header says that letters are written into it (0028,0301)")
    }

    @Test("a table joined by the names of files, with the patient from the header")
    func joined() throws {
        try folder.write(file(1, patient: "P1", eye: "R").bytes, "photos/a.dcm")
        try folder.write(file(2, patient: "P2", eye: "L").bytes, "photos/b.dcm")
        let map = """
            source: dicom
            file: {column: name}
            patient: {header: true}
            attributes: {laterality: {header: true}, dme: {column: d, codes: {"1": "1", "2": "2"}}}
            """
        var importer = try importer(map: folder.write(Array(map.utf8), "map.yaml"))
        importer.labels = try folder.write(Array("name,d\na.dcm,1\nb.dcm,2\n".utf8), "labels.csv")
        let records = try importer.run().records()
        #expect(records.map { $0.cohort["dme"] } == ["1", "2"])
        #expect(records.map { $0.cohort["laterality"] } == ["right", "left"])
        #expect(Set(records.map(\.patient)).count == 2)
    }

    /// The tags of every text in the marked file, besides those that must hold what they hold.
    private static let marked: [UInt32] = [
        0x0008_0008, 0x0008_0018, 0x0008_0050, 0x0008_0070, 0x0008_0080, 0x0008_0081, 0x0008_0090, 0x0008_1010,
        0x0008_1030, 0x0008_103E, 0x0008_1050, 0x0008_1070, 0x0008_1090, 0x0008_2111, 0x0010_0010, 0x0010_0020,
        0x0010_0021, 0x0010_0030, 0x0010_0032, 0x0010_1000, 0x0010_1001, 0x0010_1010, 0x0010_1040, 0x0010_2154,
        0x0010_2160, 0x0010_4000, 0x0018_1000, 0x0018_1020, 0x0018_1030, 0x0020_000D, 0x0020_000E, 0x0020_0010,
        0x0020_4000, 0x0032_1032, 0x0040_0254, 0x0040_0275, 0x0099_0010, 0x0099_1001, 0x4008_0212,
    ]

    @Test("no text of a header is in the data set, the report or the messages", arguments: [nil, "dicom"])
    func closedList(_ map: String?) async throws {
        for number in 1...2 {
            var file = file(UInt64(number))
            for tag in DICOMImportTests.marked {
                file.elements[tag] = .text("MRK\(number)X\(String(tag, radix: 16))")
            }
            try folder.write(file.bytes, "photos/\(number).dcm")
        }
        // A file that is refused is named with a reason, which must not quote the header either.
        var refused = file(3)
        for tag in DICOMImportTests.marked { refused.elements[tag] = .text("MRK3X\(String(tag, radix: 16))") }
        refused.elements[0x7FE0_0010] = .bytes([1, 2, 3])
        try folder.write(refused.bytes, "photos/3.dcm")
        let imported = try importer(map: map).run()
        #expect(imported.report.kept == 2 && imported.report.refused.count == 1)
        let output = folder.file("a.h5")
        let report = try await imported.write(to: output, .init(source: "unstated", licence: "unstated"), force: false)
        // The camera is on the list and goes into the data set, if the map takes it.
        let camera = Set(["MRK1X80070 MRK1X81090", "MRK2X80070 MRK2X81090"])
        #expect(Set(try imported.records().compactMap { $0.cohort["camera"] }) == (map == nil ? [] : camera))
        for path in [output, report] {
            var text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
            if map != nil { for name in camera { text = text.replacingOccurrences(of: name, with: "") } }
            #expect(!text.contains("MRK"), "\(path)")
        }
        #expect(!imported.report.refused.contains { $0.reason.contains("MRK") })
    }
}
