import Cryptography
import Datasets
import Files
import Foundation
import Importing
import Phantoms
import Pictures
import Support
import Testing

@Suite("Photographs that are added to a data set")
struct AddedPhotographsTests {
    private static let patients = 6, size = 256
    /// Two visits of six eyes.
    private static let visits: [Phantom] = {
        guard let generator = try? PhantomGenerator(patients: patients, size: size, visits: 2, seed: 12) else {
            fatalError("phantoms")
        }
        return generator.phantoms(0..<generator.count, threads: 2)
    }()
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ visit: Int, _ patient: Int, _ name: String) throws {
        let pixels = Self.visits[2 * patient + visit].pixels
        try folder.write(Picture(width: Self.size, height: Self.size, pixels: pixels).pngData(), name)
    }

    private func importer(_ photographs: String) -> Importer {
        var importer = Importer(folder: folder.file(photographs), site: "a", size: 64)
        importer.onePatientPerPhoto = true
        importer.secret = SecretBytes([UInt8](repeating: 9, count: 16))
        importer.keepsSecret = true
        return importer
    }

    /// Imports all first visits.
    private func base(_ prepare: (inout Importer) throws -> Void = { _ in }) async throws -> BaseDataset {
        for patient in 0..<Self.patients { try write(0, patient, "first/\(patient).png") }
        var importer = importer("first")
        try prepare(&importer)
        try await importer.run().write(
            to: folder.file("a.h5"), .init(source: "test", licence: "CC0"), force: false)
        return try await BaseDataset(folder.file("a.h5"), scratch: folder.path)
    }

    @Test("rows stay as they are, copies are dropped, and second visits join their patients and splits")
    func added() async throws {
        let base = try await base()
        for patient in 0..<3 { try write(1, patient, "second/visit-\(patient).png") }
        try write(0, 4, "second/again.png")
        var importer = importer("second")
        importer.base = base
        let imported = try importer.run(), report = imported.report
        #expect(report.kept == 9 && report.added == 3 && report.leftTrain == 0)
        #expect(report.duplicates.map(\.file) == ["again.png"] && report.duplicates.first?.of == "4.png")
        #expect(report.sameEye.count == 3 && report.patients == Self.patients, "\(report.sameEye)")
        let before = try await DatasetFile.open(folder.file("a.h5"))
        let records = try imported.records()
        for row in 0..<Self.patients {
            #expect(records[row].patient == before.patients[row] && records[row].split == before.splits[row])
            #expect(Digest(of: records[row].pixels) == before.digests[row])
        }
        for patient in 0..<3 {
            #expect(records[Self.patients + patient].patient == before.patients[patient])
            #expect(records[Self.patients + patient].split == before.splits[patient])
        }
        // What was dropped once is dropped again, and the data set that was written can be added to.
        try await imported.write(to: folder.file("a.h5"), .init(source: "test", licence: "CC0"), force: true)
        importer.base = try await BaseDataset(folder.file("a.h5"), scratch: folder.path)
        let again = try importer.run().report
        #expect(again.kept == 9 && again.added == 0 && again.duplicates.count == 4)
    }

    @Test("a photograph that shows two patients to be one moves nobody out of the holdout")
    func joined() async throws {
        // Both visits of one eye are there as two patients, as if their vessels had not been compared.
        for visit in 0..<2 { try write(visit, 0, "first/\(visit).png") }
        for patient in 1..<Self.patients { try write(0, patient, "first/other-\(patient).png") }
        var parted = importer("first")
        parted.exhaustiveUpTo = 100
        let whole = try parted.run()
        try #require(whole.report.patients == Self.patients)
        let writer = try await DatasetWriter(
            path: folder.file("a.h5"), size: 64, info: DatasetInfo(site: "a", source: "t", onePatientPerPhoto: true))
        var records = try whole.records()
        for row in records.indices {
            records[row].patient = "patient \(row)"
            records[row].split = row == 0 ? .train : row == 1 ? .holdout : .validation
        }
        try await writer.append(records)
        try await writer.finish()
        let picture = Picture(width: Self.size, height: Self.size, pixels: Self.visits[0].pixels)
        try folder.write(picture.jpegData(quality: 30), "second/new.jpg")
        // Not a copy: seen from nearer.
        let nearer = picture.resampled(
            x: 20, y: 20, width: 216, height: 216, toWidth: 256, height: 256, isBlackBeyond: true)
        try folder.write(nearer.pngData(), "second/new.png")
        var importer = importer("second")
        importer.base = try await BaseDataset(folder.file("a.h5"), scratch: folder.path)
        let imported = try importer.run()
        let joined = try imported.records().filter { $0.patient == "patient 0" || $0.patient == "patient 1" }
        #expect(Set(joined.map(\.patient)).count == 1 && joined.count >= 3, "\(imported.report.sameEye)")
        #expect(joined.allSatisfy { $0.split == .holdout } && imported.report.leftTrain == 1)
    }

    @Test("named patients are the same by the secret or by the table, and nothing is guessed")
    func names() async throws {
        let map = try folder.write(
            Array("file: {column: name}\npatient: {column: patient}\nattributes: {}\n".utf8), "map.yaml")
        func table(_ rows: [(String, String)]) throws -> String {
            let text = "name,patient\n" + rows.map { "\($0.0),\($0.1)\n" }.joined()
            return try folder.write(Array(text.utf8), "labels-\(rows.count).csv")
        }
        let old = (0..<Self.patients).map { ("\($0).png", "P\($0)") }
        let base = try await base {
            $0.onePatientPerPhoto = false
            ($0.labels, $0.map) = (try table(old), map)
        }
        // Another eye of the first patient, whom only the name tells.
        let stranger = try PhantomGenerator(patients: 1, size: Self.size, visits: 1, seed: 99).phantoms(
            0..<1, threads: 1)
        try folder.write(
            Picture(width: Self.size, height: Self.size, pixels: stranger[0].pixels).pngData(), "second/eye.png")
        let key = try await DatasetFile.open(folder.file("a.h5")).patients[0]
        func added(_ labels: String, secret: UInt8?) throws -> String {
            var importer = importer("second")
            importer.onePatientPerPhoto = false
            (importer.labels, importer.map, importer.base) = (labels, map, base)
            importer.secret = secret.map { SecretBytes([UInt8](repeating: $0, count: 16)) }
            importer.keepsSecret = secret != nil
            return try importer.run().records()[Self.patients].patient
        }
        let new = try table([("eye.png", "P0")])
        #expect(try added(new, secret: 9) == key)
        #expect(try added(table(old + [("eye.png", "P0")]), secret: nil) == key)
        #expect { try added(new, secret: 7) } throws: {
            ($0 as? Failure)?.sentence.contains("another patient secret") == true
        }
        #expect { try added(new, secret: nil) } throws: {
            ($0 as? Failure)?.kind == .usage && ($0 as? Failure)?.sentence.contains("nothing tells") == true
        }
    }

    @Test("what differs from the data set is refused")
    func refusals() async throws {
        let base = try await base()
        try write(1, 0, "second/1.png")
        for (change, option) in [
            ({ $0.site = "b" }, "site"), ({ $0.size = 32 }, "size"),
        ] as [((inout Importer) -> Void, String)] {
            var importer = importer("second")
            importer.base = base
            change(&importer)
            #expect { try importer.run() } throws: {
                ($0 as? Failure)?.kind == .usage && ($0 as? Failure)?.option == option
            }
        }
    }
}
