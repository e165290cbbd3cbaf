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

    /// A map of tables that name photographs and patients.
    private func namingMap() throws -> String {
        try folder.write(
            Array("file: {column: name}\npatient: {column: patient}\nattributes: {}\n".utf8), "map.yaml")
    }

    private func table(_ name: String, _ rows: [(String, String)]) throws -> String {
        let text = "name,patient\n" + rows.map { "\($0.0),\($0.1)\n" }.joined()
        return try folder.write(Array(text.utf8), name + ".csv")
    }

    /// Imports all first visits.
    private func base(
        to output: String = "a.h5", _ prepare: (inout Importer) throws -> Void = { _ in }
    ) async throws -> BaseDataset {
        for patient in 0..<Self.patients { try write(0, patient, "first/\(patient).png") }
        var importer = importer("first")
        try prepare(&importer)
        try await importer.run().write(
            to: folder.file(output), .init(source: "test", licence: "CC0"), force: false)
        return try await BaseDataset(folder.file(output), scratch: folder.path)
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
        // The data set that was written can be added to.
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
        let map = try namingMap()
        func table(_ rows: [(String, String)]) throws -> String { try self.table("labels-\(rows.count)", rows) }
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

    @Test("what one import learned of copies and names, all later ones know")
    func links() async throws {
        let map = try namingMap()
        func named(_ photographs: String, _ labels: String, secret: UInt8? = 9) -> Importer {
            var importer = importer(photographs)
            importer.onePatientPerPhoto = false
            (importer.labels, importer.map, importer.keepsSecret) = (labels, map, secret != nil)
            importer.secret = SecretBytes([UInt8](repeating: secret ?? 1, count: 16))
            return importer
        }
        func write(_ importer: Importer) async throws -> ImportReport {
            let imported = try importer.run()
            try await imported.write(to: folder.file("a.h5"), .init(source: "t", licence: "CC0"), force: true)
            return imported.report
        }
        func opened() async throws -> BaseDataset {
            try await BaseDataset(folder.file("a.h5"), scratch: folder.path)
        }
        // One person was registered as A and as B; a copy of another photograph is dropped.
        try self.write(0, 0, "first/a.png")
        try self.write(1, 0, "first/b.png")
        try self.write(0, 1, "first/c.png")
        let third = Picture(width: Self.size, height: Self.size, pixels: Self.visits[2].pixels)
        try folder.write(third.jpegData(quality: 50), "first/c2.jpg")
        let first = try await write(
            named("first", table("first", [("a.png", "A"), ("b.png", "B"), ("c.png", "C"), ("c2.jpg", "C")])))
        try #require(first.kept == 3 && first.patients == 2 && first.links?.otherKeys.count == 1)
        // Another eye of B, and the copy again, in two more imports.
        try self.write(0, 3, "second/d.png")
        var second = named("second", try table("second", [("d.png", "D")]))
        second.base = try await opened()
        #expect(try await write(second).patients == 3)
        try self.write(0, 4, "third/b-other-eye.png")
        try folder.write(third.jpegData(quality: 50), "third/again.jpg")
        var last = named("third", try table("third", [("b-other-eye.png", "B"), ("again.jpg", "C")]))
        last.base = try await opened()
        let imported = try last.run()
        #expect(imported.patients[4] == imported.patients[0] && imported.report.patients == 3)
        #expect(imported.report.duplicates.map(\.kind) == [.exact])
        // Without the secret, a table is needed that has the rows of all photographs. Then the keys are not of one
        // secret any more, so that it does not suffice later.
        last.keepsSecret = false
        #expect { try last.run() } throws: { ($0 as? Failure)?.sentence.contains("has 0 of 4") == true }
        let whole = [("a.png", "A"), ("b.png", "B"), ("c.png", "C"), ("d.png", "D"), ("b-other-eye.png", "E")]
        last.labels = try table("whole", whole + [("again.jpg", "C")])
        #expect(try await write(last).links?.secretCheck == nil)
        last.labels = try table("third", [("b-other-eye.png", "E"), ("again.jpg", "C")])
        (last.keepsSecret, last.base) = (true, try await opened())
        #expect { try last.run() } throws: { ($0 as? Failure)?.sentence.contains("nothing tells") == true }
        // Keys that were drawn do not become keys of a secret that is given later.
        let all = [("a.png", "A"), ("b.png", "B"), ("c.png", "C")]
        try FileManager.default.removeItem(atPath: folder.file("first/c2.jpg"))
        _ = try await write(named("first", table("drawn", all), secret: nil))
        var linked = named("second", try table("linked", all + [("d.png", "D")]))
        linked.base = try await opened()
        let report = try await write(linked)
        #expect(report.patients == 3 && report.links?.secretCheck == nil)
        var unlinked = named("third", try table("unlinked", [("b-other-eye.png", "D"), ("again.jpg", "C")]))
        unlinked.base = try await opened()
        #expect { try unlinked.run() } throws: { ($0 as? Failure)?.sentence.contains("nothing tells") == true }
    }

    @Test("photographs of the same name in two folders are not of one patient for that")
    func sameNames() async throws {
        let base = try await base()
        let stranger = try PhantomGenerator(patients: 1, size: Self.size, visits: 1, seed: 99).phantoms(
            0..<1, threads: 1)
        try folder.write(
            Picture(width: Self.size, height: Self.size, pixels: stranger[0].pixels).pngData(), "second/0.png")
        var importer = importer("second")
        importer.base = base
        let report = try importer.run().report
        #expect(report.kept == Self.patients + 1 && report.patients == Self.patients + 1)
        // A table that names both 0.png as one patient means the one in the folder.
        let map = try namingMap()
        let rows = (0..<Self.patients).map { "\($0).png,P\($0)\n" }.joined()
        let table = try folder.write(Array("name,patient\n\(rows)".utf8), "labels.csv")
        let named = try await self.base(to: "named.h5") {
            $0.onePatientPerPhoto = false
            ($0.labels, $0.map) = (table, map)
        }
        (importer.onePatientPerPhoto, importer.base, importer.labels, importer.map) = (false, named, table, map)
        importer.keepsSecret = false
        #expect { try importer.run() } throws: {
            ($0 as? Failure)?.sentence.contains("this one has \(Self.patients - 1) of \(Self.patients)") == true
        }
    }

    @Test("a row that names a photograph of the new folder names no other of that name")
    func rowsOfOthers() async throws {
        let map = try namingMap()
        // The first folder has its photographs in a folder of their own, and a copy of another name.
        for patient in 0..<3 { try write(0, patient, "first/visit/\(patient).png") }
        let copy = Picture(width: Self.size, height: Self.size, pixels: Self.visits[0].pixels)
        try folder.write(copy.jpegData(quality: 60), "first/visit/copy.jpg")
        var first = importer("first")
        (first.onePatientPerPhoto, first.map) = (false, map)
        let rows = (0..<3).map { ("visit/\($0).png", "P\($0)") }
        first.labels = try table("first", rows + [("visit/copy.jpg", "other name of P0")])
        try await first.run().write(to: folder.file("a.h5"), .init(source: "t", licence: "CC0"), force: true)
        // New photographs of the same names: of a person who is there, and one that cannot be read.
        try write(0, 4, "second/1.png")
        try folder.write(Array("no picture".utf8), "second/2.png")
        var second = importer("second")
        (second.onePatientPerPhoto, second.map) = (false, map)
        second.labels = try table("second", [("1.png", "P2"), ("2.png", "P0")])
        second.base = try await BaseDataset(folder.file("a.h5"), scratch: folder.path)
        let report = try second.run().report
        #expect(report.kept == 4 && report.patients == 3 && report.added == 1, "\(report.refused)")
        let patients = try second.run().patients
        #expect(patients[3] == patients[2] && Set(patients[0..<3]).count == 3)
        // Without the secret, the row of the dropped copy says who else its patient is.
        try write(0, 5, "third/new.png")
        var third = importer("third")
        (third.onePatientPerPhoto, third.map, third.keepsSecret) = (false, map, false)
        third.labels = try table(
            "third", rows + [("visit/copy.jpg", "Q"), ("new.png", "Q")])
        third.base = second.base
        let named = try third.run().patients
        #expect(named.count == 4 && named[3] == named[0])
        // Without its report nobody knows how the patients were named.
        try FileManager.default.removeItem(atPath: folder.file("a.import-report.json"))
        second.base = try await BaseDataset(folder.file("a.h5"), scratch: folder.path)
        #expect { try second.run() } throws: { ($0 as? Failure)?.sentence.contains("report of its import") == true }
    }

    @Test("version 0.1 made keys of names as the table wrote them")
    func keysOfOlderVersions() async throws {
        let secret = SecretBytes([UInt8](repeating: 9, count: 16)), keys = PatientKeys(secret: secret)
        let written = ["7.0", "Mu\u{308}ller", "A"]
        for patient in 0..<3 { try write(0, patient, "first/\(patient).png") }
        var records = try importer("first").run().records()
        for row in 0..<3 { (records[row].patient, records[row].split) = (keys.key(of: written[row]), .train) }
        let writer = try await DatasetWriter(
            path: folder.file("old.h5"), size: 64, info: DatasetInfo(site: "a", source: "t"))
        try await writer.append(records)
        try await writer.finish()
        let rows = (0..<3).map { #"{"row": \#($0), "file": "\#($0).png"}"# }.joined(separator: ",")
        try folder.write(Array(#"{"photographs": [\#(rows)]}"#.utf8), "old.import-report.json")
        for patient in 0..<3 {
            try write(0, 3 + patient, "second/\(patient).png")
        }
        var second = importer("second")
        (second.onePatientPerPhoto, second.map) = (false, try namingMap())
        second.labels = try table("second", [("0.png", "7"), ("1.png", "M\u{FC}ller"), ("2.png", "A")])
        second.base = try await BaseDataset(folder.file("old.h5"), scratch: folder.path)
        let imported = try second.run()
        let known = Set(written.map(keys.key(of:)))
        #expect(imported.report.kept == 6 && imported.report.patients == 3)
        #expect(Set(imported.patients) == known)
    }

    @Test("drawn pictures and photographs do not mix")
    func drawn() async throws {
        let writer = try await DatasetWriter(
            path: folder.file("d.h5"), size: 64, info: DatasetInfo(site: "a", source: "t", synthetic: true))
        try write(0, 0, "first/0.png")
        try await writer.append(importer("first").run().records())
        try await writer.finish()
        let problem = await #expect(throws: Failure.self) {
            try await BaseDataset(folder.file("d.h5"), scratch: folder.path)
        }
        #expect(problem?.sentence == "holds drawn pictures, to which photographs cannot be added")
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
