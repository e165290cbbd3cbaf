import Datasets
import Files
import Foundation
import Importing
import Pictures
import SampleStore
import Support
import TestPictures
import Testing

@Suite("Synthetic pictures in an import")
struct SyntheticTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func picture(_ eye: UInt64) -> Picture {
        SyntheticDisc(width: 200, height: 150, centerX: 100, centerY: 75, radius: 70, eye: eye).picture
    }

    private func importer() throws -> Importer {
        try folder.write(Array(picture(1).pngData()), "p/1.png")
        try folder.write(Array(picture(2).pngData(texts: [SyntheticMark.xmp(SampleSet.digitalSourceType)])), "p/2.png")
        let digests = [SyntheticLabel.digestKeyword, SyntheticLabel.modelKeyword].map { PNGText($0, "ab") }
        try folder.write(Array(picture(3).pngData(texts: digests)), "p/3.png")
        // Another program's XMP in a JPEG.
        let xmp = Array(
            "http://ns.adobe.com/xap/1.0/\0<x DigitalSourceType=\"compositeWithTrainedAlgorithmicMedia\"/>".utf8)
        let jpeg = try Array(picture(4).jpegData(quality: 90)), length = xmp.count + 2
        try folder.write(
            jpeg[0..<2] + [0xFF, 0xE1, UInt8(length >> 8), UInt8(length & 0xFF)] + xmp + jpeg[2...], "p/4.jpg")
        var importer = Importer(folder: folder.file("p"), site: "a", size: 32)
        importer.onePatientPerPhoto = true
        return importer
    }

    @Test("pictures that say that a model made them are refused")
    func refused() throws {
        let report = try importer().run().report
        #expect(report.photographs?.map(\.file) == ["1.png"] && report.synthetic == 0)
        #expect(report.refused.map(\.file) == ["2.png", "3.png", "4.jpg"])
        let count = report.refused.count(where: \.isSynthetic)
        #expect(count == 3)
        #expect(report.refused[1].reason == "is a synthetic picture made by Fovea, as the label in the file says")
    }

    @Test("where all are synthetic, the failure says what takes them")
    func allRefused() throws {
        let importer = try importer()
        try FileManager.default.removeItem(atPath: folder.file("p/1.png"))
        #expect { try importer.run() } throws: { ($0 as? Failure)?.remedy == .allowSynthetic }
    }

    @Test("where they are allowed, the data set is marked, and is not taken for drawn pictures")
    func allowed() async throws {
        var importer = try importer()
        importer.allowsSynthetic = true
        let imported = try importer.run()
        #expect(imported.report.kept == 4 && imported.report.synthetic == 3)
        let out = folder.file("o.h5")
        try await imported.write(to: out, .init(source: "test", licence: "CC0"), force: false)
        let info = try await DatasetFile.open(out).info
        #expect(info.synthetic && info.sampled == 3 && !info.isDrawn)
    }
}
