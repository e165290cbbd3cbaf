import Cryptography
import Files
import Foundation
import Importing
import Phantoms
import Pictures
import Support
import Testing

@Suite("Photographs of one eye")
struct EyeTests {
    private static let size = 256, patients = 6
    /// Two visits of six eyes.
    private static let visits: [Phantom] = {
        guard let generator = try? PhantomGenerator(patients: patients, size: size, visits: 2, seed: 12) else {
            fatalError("phantoms")
        }
        return generator.phantoms(0..<generator.count, threads: 2)
    }()
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func file(_ visit: Int, _ patient: Int) -> String { "visit-\(visit)-\(patient).png" }

    /// First all first visits, then all second ones.
    private func importer() throws -> Importer {
        for (index, phantom) in Self.visits.enumerated() {
            let picture = Picture(width: Self.size, height: Self.size, pixels: phantom.pixels)
            try folder.write(picture.pngData(), "photos/" + file(index % 2, index / 2))
        }
        var importer = Importer(folder: folder.file("photos"), site: "a", size: 64)
        importer.onePatientPerPhoto = true
        importer.secret = SecretBytes([UInt8](repeating: 9, count: 16))
        return importer
    }

    private func isPair(_ pair: ImportReport.SameEye) -> Bool {
        pair.file.last(5) == pair.of.last(5) && pair.file != pair.of
    }

    @Test("two visits under two names are one patient, strangers are not, on any number of threads")
    func visits() throws {
        var importer = try importer()
        let imported = try importer.run()
        #expect(
            imported.report.sameEye.count == Self.patients && imported.report.sameEye.allSatisfy(isPair),
            "\(imported.report.sameEye)")
        #expect(imported.report.sameEye.allSatisfy { !$0.twoNames && ($0.vessels ?? 1) >= 0.4 })
        #expect(
            imported.report.patients == Self.patients && imported.report.kept == 2 * Self.patients
                && imported.report.comparedWith == nil)
        let records = try imported.records()
        for patient in 0..<Self.patients {
            #expect(records[patient].patient == records[Self.patients + patient].patient)
            #expect(records[patient].split == records[Self.patients + patient].split)
        }
        importer.threads = 3
        #expect(try importer.run().report == imported.report)
    }

    @Test("where the table names two patients, the pair is reported, and both names share a split")
    func names() throws {
        var importer = try importer()
        importer.onePatientPerPhoto = false
        var table = "name,patient\n"
        // The first eye's visits have two names; one of them is the second eye's, too.
        for patient in 0..<Self.patients {
            for visit in 0..<2 {
                table += "\(file(visit, patient)),\(patient == 0 && visit == 1 ? "P1" : "P\(patient)")\n"
            }
        }
        importer.labels = try folder.write(Array(table.utf8), "labels.csv")
        importer.map = try folder.write(
            Array("file: {column: name}\npatient: {column: patient}\nattributes: {}\n".utf8), "map.yaml")
        let imported = try importer.run()
        #expect(
            imported.report.sameEye.map(\.file) == [file(1, 0)] && imported.report.sameEye.map(\.of) == [file(0, 0)])
        #expect(imported.report.sameEye.allSatisfy { $0.twoNames })
        #expect(imported.report.patients == Self.patients - 1)
        let records = try imported.records()
        let rows = [0, 1, Self.patients, Self.patients + 1]
        #expect(Set(rows.map { "\(records[$0].patient) \(records[$0].split)" }).count == 1)
    }

    @Test("in a large set, the spectra of the vessels find the same pairs")
    func large() throws {
        var importer = try importer()
        importer.exhaustiveUpTo = 4
        let report = try importer.run().report
        #expect(report.sameEye.count == Self.patients && report.sameEye.allSatisfy(isPair), "\(report.sameEye)")
        #expect(report.comparedWith == 256 && report.patients == Self.patients)
    }
}

extension String {
    fileprivate func last(_ count: Int) -> String { String(suffix(count)) }
}
